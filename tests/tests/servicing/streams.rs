//! Streams of notices at random, doubled, shuffled and at once, with decisions between them, against a slow model.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    random::Dice,
    till::{Till, callback, notice},
    world::World,
};

/// A notice of a receipt.
#[derive(Clone, Copy)]
struct Told {
    receipt: usize,
    /// Whole euros.
    amount: u32,
    /// The loan whose `pay_ref` it has; `None` for an STK callback, which has no reference.
    loan: Option<usize>,
}

/// A payment, as the rules say: the first notice stands, a reference that was missing is added, and as long as nothing
/// was decided the reference pays its loan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Payment {
    amount: u32,
    loan: Option<usize>,
    /// Each repayment: the loan, the amount, whether it stands.
    applied: Vec<(usize, u32, bool)>,
    returned: u32,
}

/// The loan that was never paid out: money for it waits.
const CLOSED: usize = 2;

impl Payment {
    fn unapplied(&self) -> u32 {
        let standing = self.applied.iter().filter(|(.., stands)| *stands).map(|(_, amount, _)| amount);
        self.amount - standing.sum::<u32>() - self.returned
    }

    fn is_decided(&self) -> bool {
        !self.applied.is_empty() || self.returned > 0
    }

    fn state(&self) -> &'static str {
        let is_applied = self.applied.iter().any(|(.., stands)| *stands);
        match (self.unapplied(), is_applied || self.returned > 0, is_applied) {
            (1.., false, _) => "unapplied",
            (1.., true, _) => "partly_applied",
            (0, _, false) => "returned",
            (0, _, true) => "applied",
        }
    }

    fn take(&mut self, told: Told) {
        if self.loan.is_none() {
            self.loan = told.loan;
            if let Some(loan) = told.loan.filter(|loan| *loan != CLOSED && !self.is_decided()) {
                self.applied.push((loan, self.amount, true));
            }
        }
    }
}

fn receipt(number: usize) -> String {
    format!("AAA{number:07}")
}

/// A system and the model of it.
struct Stream {
    world: World,
    till: Till,
    paths: Vec<String>,
    refs: Vec<String>,
    model: BTreeMap<usize, Payment>,
}

impl Stream {
    async fn new() -> Self {
        let world = World::new().await;
        let till = Till::of(&world, "paybill", "mpesa").await;
        let mut paths = vec![world.plain().await, world.plain().await];
        paths.push(world.approved("1200", "EUR", json!({"interest_rate_apr": "0", "instalments": 6})).await);
        let refs = join_all(paths.iter().map(|path| world.pay_ref(path))).await;
        Self { world, till, paths, refs, model: BTreeMap::new() }
    }

    async fn send(&self, told: Told) {
        let Told { receipt: number, amount, loan } = told;
        let (hook, body) = match loan {
            Some(loan) => ("confirmation", notice(&receipt(number), &amount.to_string(), &self.refs[loan])),
            None => ("stk", callback(&receipt(number), f64::from(amount))),
        };
        self.till.call(&self.world, hook, &body).expect(200).await;
    }

    /// A decision of an admin; returns true if the model allows it, as the system must.
    async fn decide(&mut self, dice: &mut Dice, number: usize) {
        let known = self.world.payment(&receipt(number)).await;
        let payment = self.model.get_mut(&number).unwrap();
        let amount = 1 + u32::try_from(dice.roll(40)).unwrap();
        let may = amount <= payment.unapplied();
        let expected = if may { 201 } else { 422 };
        match dice.roll(4) {
            0 => {
                let body = json!({"amount": amount.to_string(), "paid_on": "2024-02-20", "reason": "r"});
                self.world.decide(&known, "return", body).expect(expected).await;
                payment.returned += if may { amount } else { 0 };
            }
            1 => {
                let loan = dice.roll(CLOSED);
                let id = self.world.get(&self.paths[loan]).await.text_of("id");
                let body = json!({"loan_id": id, "amount": amount.to_string()});
                self.world.decide(&known, "apply", body).expect(expected).await;
                if may {
                    payment.applied.push((loan, amount, true));
                }
            }
            _ => {
                let place = payment.applied.iter().position(|(.., stands)| *stands);
                let Some(place) = place else { return };
                let id = known["applications"][place]["transaction_id"].as_str().unwrap();
                let part = format!("transactions/{id}/reversal");
                let path = &self.paths[payment.applied[place].0];
                self.world.send(path, &part, json!({"reason": "r"})).expect(201).await;
                payment.applied[place].2 = false;
            }
        }
    }

    /// The system is as the model.
    async fn compare(&self, seed: u64) {
        for (number, payment) in &self.model {
            let known = self.world.payment(&receipt(*number)).await;
            let figures = ["amount", "unapplied", "returned", "state"].map(|name| known[name].as_str().unwrap());
            let euros = |units: u32| format!("{units}.00");
            let (amount, unapplied, returned) =
                (euros(payment.amount), euros(payment.unapplied()), euros(payment.returned));
            let expected = [amount.as_str(), &unapplied, &returned, payment.state()];
            assert_eq!(figures, expected, "seed {seed}: {payment:?}: {known}");
            assert_eq!(known["applications"].as_array().unwrap().len(), payment.applied.len(), "seed {seed}: {known}");
        }
        let count = self.world.count("SELECT count(*) FROM payments").await;
        assert_eq!(usize::try_from(count).unwrap(), self.model.len(), "seed {seed}");
        let waiting: u32 = self.model.values().map(Payment::unapplied).sum();
        let balance = if waiting == 0 { "0.00".to_owned() } else { format!("-{waiting}.00") };
        assert_eq!(self.world.balance("unapplied_payments", "").await, balance, "seed {seed}");
        // What went back did so later.
        let until_then: u32 = self.model.values().map(|it| it.unapplied() + it.returned).sum();
        let balance = if until_then == 0 { "0.00".to_owned() } else { format!("-{until_then}.00") };
        assert_eq!(self.world.balance("unapplied_payments", "as_of=2024-02-19").await, balance, "seed {seed}");
        self.world.is_consistent().await;
    }
}

#[tokio::test]
async fn a_stream_of_notices_and_decisions_is_as_a_slow_model_says() {
    for seed in 1..=3 {
        let mut dice = Dice(seed);
        let mut stream = Stream::new().await;
        for _ in 0..60 {
            let number = dice.roll(12);
            if dice.roll(3) == 0 && stream.model.contains_key(&number) {
                stream.decide(&mut dice, number).await;
                continue;
            }
            let loan = if dice.roll(3) == 0 { None } else { Some(dice.roll(3)) };
            let known = stream.model.get(&number).map(|payment| payment.amount);
            let amount = known.unwrap_or_else(|| 1 + u32::try_from(dice.roll(50)).unwrap());
            let told = Told { receipt: number, amount, loan };
            stream.send(told).await;
            if dice.roll(2) == 0 {
                stream.send(told).await;
            }
            let payment = stream.model.entry(number).or_insert_with(|| Payment { amount, ..Payment::default() });
            payment.take(told);
        }
        stream.compare(seed).await;
    }
}

#[tokio::test]
async fn notices_of_many_receipts_at_once_each_pay_once() {
    let mut dice = Dice(7);
    let mut stream = Stream::new().await;
    let mut all = Vec::new();
    for number in 0..16 {
        let (amount, loan) = (1 + u32::try_from(dice.roll(50)).unwrap(), dice.roll(3));
        // A callback without, and confirmations with the reference: in whatever order they come, the loan is paid once.
        for loan in [None, Some(loan), Some(loan), Some(loan)] {
            all.push(Told { receipt: number, amount, loan });
        }
        let mut payment = Payment { amount, ..Payment::default() };
        payment.take(Told { receipt: number, amount, loan: Some(loan) });
        stream.model.insert(number, payment);
    }
    for last in (1..all.len()).rev() {
        all.swap(last, dice.roll(last + 1));
    }
    join_all(all.iter().map(|told| stream.send(*told))).await;
    stream.compare(7).await;
    let seen: Vec<Value> = stream.world.admin.walk("/api/payments?limit=5").await;
    assert_eq!(seen.len(), 16);
}
