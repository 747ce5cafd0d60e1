//! A lender with its people, and loans in whatever state a test needs.

use std::ops::Deref;

use backend::{
    db::{Batch, Statement},
    domain::{
        applications::{self, Pointers, Proposal, Term},
        loan::{Borrower, Loan, LoanStatus},
        loan_history::Action,
    },
    store::{loans, products},
    values::moment::Moment,
};
use jiff::Timestamp;
use lending::{Currency, Money};
use serde_json::{Value, json};
use tests::{Api, ApiOptions, Call, Reply, User};
use uuid::Uuid;

/// A system with one user of each role.
pub(crate) struct World {
    pub(crate) api: Api,
    pub(crate) admin: User,
    pub(crate) agent: User,
    pub(crate) customer: User,
}

impl Deref for World {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(ApiOptions::default()).await
    }

    pub(crate) async fn with(options: ApiOptions) -> Self {
        let api = Api::with(options).await;
        let (admin, agent) = (api.admin("the.admin").await, api.agent("the.agent").await);
        let customer = api.customer("the.customer").await;
        Self { api, admin, agent, customer }
    }

    /// Puts an application before the lender by its agent, 6 months in INR; returns the loan's path.
    pub(crate) async fn applied(&self, amount: &str) -> String {
        let body =
            json!({"borrower_id": self.customer.username, "amount": amount, "currency": "INR", "term_months": 6});
        path(&self.agent.post("/api/loans").json(body).expect(201).await)
    }

    /// An application of the customer's own in this status, at the version it takes to get there. Paid out, paid back
    /// or written off on days of this year.
    pub(crate) async fn loan(&self, status: LoanStatus) -> String {
        let body = json!({"amount": "1200", "currency": "INR", "instalments": 6});
        let path = path(&self.customer.post("/api/loans").json(body).expect(201).await);
        let decide = |action: &str| self.admin.post(&format!("{path}/{action}")).if_match(1);
        match status {
            LoanStatus::Pending => {}
            LoanStatus::Withdrawn => {
                self.customer.post(&format!("{path}/withdraw")).expect(200).await;
            }
            LoanStatus::Rejected => {
                decide("reject").json(json!({"reason": "income too low"})).expect(200).await;
            }
            LoanStatus::Approved => {
                decide("approve").expect(200).await;
            }
            LoanStatus::Disbursed | LoanStatus::Repaid | LoanStatus::Defaulted => {
                decide("approve").expect(200).await;
                self.disburse(&path, "2024-01-15").await;
                if status == LoanStatus::Repaid {
                    let total =
                        self.admin.get(&format!("{path}/settlement?on=2024-01-20")).expect(200).await.text_of("total");
                    let body = json!({"amount": total, "paid_on": "2024-01-20"});
                    self.money(&path, "repayments", body).expect(201).await;
                }
                if status == LoanStatus::Defaulted {
                    let body = json!({"on": "2024-01-20", "reason": "gone"});
                    self.money(&path, "write-off", body).expect(201).await;
                }
            }
        }
        path
    }

    /// Pays an approved loan out.
    pub(crate) async fn disburse(&self, path: &str, on: &str) -> Reply {
        self.money(path, "disbursements", json!({"disbursed_on": on})).expect(201).await
    }

    /// A command on a loan's money by the admin, with a key of its own.
    pub(crate) fn money(&self, path: &str, part: &str, body: Value) -> Call {
        self.admin.post(&format!("{path}/{part}")).key(&Uuid::now_v7().to_string()).json(body)
    }

    /// The loan as it now is.
    pub(crate) async fn read(&self, path: &str) -> Reply {
        self.admin.get(path).expect(200).await
    }

    /// Makes a loan at any instant, without asking the interface.
    pub(crate) async fn insert(&self, new: NewLoan<'_>) -> Loan {
        let NewLoan { borrower, agent, product, amount, at } = new;
        let product = products::by_code(product.to_owned()).run(&self.owner).await.unwrap().unwrap();
        let amount = Money::parse(amount, product.currency).unwrap();
        let term = Some(Term::Instalments(product.min_instalments.max(3)));
        let proposal = Proposal::new(product, amount, term, None, Pointers::PLAIN).unwrap();
        let borrower = Borrower { id: borrower.id, username: borrower.username.clone() };
        let (by, agent) = (agent.map_or(borrower.id, |agent| agent.id), agent.map(|agent| agent.id));
        let at = self.moment(at);
        let pay_ref = self.api.app.db.read(&loans::new_pay_ref()).await.unwrap().0;
        let loan = applications::create((borrower, pay_ref), proposal, by, agent, at, Pointers::PLAIN).unwrap();
        self.write(loans::insert(&loan, None, at)).await;
        loan
    }

    /// Takes a loan one step further, at any instant: to `approved`, `rejected` or `withdrawn`.
    pub(crate) async fn decide(&self, loan: &Loan, status: LoanStatus, at: Timestamp) -> Loan {
        let reason = Some("as the test wants".to_owned());
        let at = self.moment(at);
        let decided = applications::decide(loan, status, self.admin.id, reason, at).unwrap();
        let action = if status == LoanStatus::Approved { Action::Approve } else { Action::Reject };
        self.write(loans::step(loan, &decided, action, self.admin.id, None, at)).await;
        decided
    }

    async fn write(&self, writes: Vec<Statement<()>>) {
        self.owner.batch_execute("BEGIN").await.unwrap();
        for write in writes {
            write.run(&self.owner).await.unwrap();
        }
        self.owner.batch_execute("COMMIT").await.unwrap();
    }

    fn moment(&self, now: Timestamp) -> Moment<'_> {
        Moment { now, today: self.app.date_of(now), zone: &self.app.zone }
    }

    /// A new product, by the admin: `change` over one in INR with monthly instalments.
    pub(crate) async fn product(&self, code: &str, change: Value) {
        let mut product = json!({"code": code, "name": code, "currency": "INR", "min_amount": "1",
            "max_amount": "50000",
            "min_instalments": 1, "max_instalments": 60, "min_rate_apr": "0", "max_rate_apr": "100",
            "terms": {"interest_rate_apr": "24", "instalments": 12}});
        for (name, value) in change.as_object().unwrap() {
            product[name] = value.clone();
        }
        self.admin.post("/api/products").json(product).expect(201).await;
    }
}

/// A loan to be made by [`World::insert`].
#[derive(Clone, Copy)]
pub(crate) struct NewLoan<'a> {
    pub(crate) borrower: &'a User,
    pub(crate) agent: Option<&'a User>,
    pub(crate) product: &'a str,
    pub(crate) amount: &'a str,
    pub(crate) at: Timestamp,
}

/// Where a loan can be read.
pub(crate) fn path(loan: &Reply) -> String {
    format!("/api/loans/{}", loan.text_of("id"))
}

/// The currency of a code.
pub(crate) fn currency(code: &str) -> Currency {
    Currency::from_code(code).unwrap()
}
