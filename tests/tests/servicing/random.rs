//! Histories at random: whatever is taken or refused, nothing fails, and the books are right.

use jiff::{Timestamp, ToSpan, civil::date};
use serde_json::{Value, json};

use crate::world::World;

/// Numbers that look random and are the same in every run (Knuth's MMIX generator, its upper half).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.roll(among.len())]
    }
}

/// A command at random: where it is sent, and its body.
fn command(dice: &mut Dice, transactions: &[String]) -> (String, Value) {
    let on = date(2024, 1, 15) + i32::try_from(dice.roll(280)).unwrap().days();
    let amount = format!("{}.{:02}", dice.roll(400), dice.roll(100));
    let reason = "as the dice fall";
    match dice.roll(20) {
        0..=7 => ("repayments".into(), json!({"amount": amount, "paid_on": on})),
        8..=10 => {
            let kind = dice.pick(&["fee", "penalty"]);
            let due_on = on + i32::try_from(dice.roll(60)).unwrap().days();
            (
                "charges".into(),
                json!({"code": "c", "kind": kind, "amount": format!("{}", dice.roll(40)), "due_on": due_on}),
            )
        }
        11 | 12 => {
            let component = dice.pick(&["penalty", "fee", "interest"]);
            let amount = format!("{}", dice.roll(20));
            ("waivers".into(), json!({"component": component, "amount": amount, "on": on, "reason": reason}))
        }
        13 => ("refund".into(), json!({"amount": amount, "paid_on": on})),
        14 => ("write-off".into(), json!({"on": on, "reason": reason})),
        15 => {
            let month = i8::try_from(2 + dice.roll(6)).unwrap();
            let instalments = 1 + dice.roll(8);
            let body = json!({"from": date(2024, month, 15), "instalments": instalments, "reason": reason});
            ("reschedule".into(), body)
        }
        _ => (format!("transactions/{}/reversal", dice.pick(transactions)), json!({"reason": reason})),
    }
}

#[tokio::test]
async fn whatever_is_recorded_the_books_are_right() {
    let world = World::new().await;
    let today = world.app.date_of(Timestamp::now());
    let (mut taken, mut refused) = (0, 0);
    let rules = [
        ("next_instalments", "scheduled"),
        ("last_instalments", "scheduled"),
        ("reduce_instalment", "scheduled"),
        ("reduce_term", "scheduled"),
        ("next_instalments", "daily"),
        ("last_instalments", "daily"),
    ];
    for (seed, (prepayment, accrual)) in (1..).zip(rules) {
        let mut dice = Dice(seed);
        let terms = json!({"interest_rate_apr": "24", "instalments": 6, "prepayment": prepayment,
            "interest_accrual": accrual, "interest_period": "daily",
            "late_fee": {"grace_days": 5, "kind": "percent_of_overdue", "value": "2", "max_times": 3}});
        let path = world.disbursed("1200", terms, "2024-01-15").await;
        for _ in 0..60 {
            let listed = world.get(&format!("{path}/transactions?limit=200")).await;
            let ids: Vec<String> = listed.list().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
            let (part, body) = command(&mut dice, &ids);
            // The disbursement stays until the end: all else rests on it.
            if part.contains(ids.last().unwrap()) {
                continue;
            }
            let reply = world.send(&path, &part, body).send().await;
            match reply.status {
                201 => taken += 1,
                409 | 422 => refused += 1,
                _ => panic!("{reply}"),
            }
            let loan = world.get(&path).await;
            assert_eq!(world.get(&format!("{path}?as_of={today}")).await.body, loan.body, "{reply}");
        }
    }
    assert!(taken > 80 && refused > 20, "{taken} taken, {refused} refused");
    crate::books::are_right(&world).await;
    let balances = world.get("/api/ledger/trial-balance?as_of=2200-12-31").await;
    let units = |text: &str| text.replace('.', "").parse::<i64>().unwrap();
    let sum: i64 = balances.list().iter().map(|row| units(row["balance"].as_str().unwrap())).sum();
    assert_eq!(sum, 0, "{balances}");
}
