//! Demo data: eight users who share a password that everyone knows, profiles of five, five loans, and a counter with
//! payments in each state. For trying things out, never for a database that is used: see `ALLOW_DEMO_DATA`.

mod payments;

use self::payments::Counter;
use crate::error::MigrateError;
use backend::{
    auth::passwords,
    db::{Batch, DbError, FromRow, Sql, Statement, column},
    domain::{
        applications::{self, Pointers, Proposal, Term},
        kyc::{Kyc, KycStatus},
        loan::{Borrower, LoanStatus},
        loan_history::Action,
        portfolio::ApplicationStep,
        profile::{Address, NationalId, Profile},
        refusal::Refusal,
        servicing::{self, LockedLoan, NewTransaction, Recorded},
        transaction::Notes,
        users::{Role, User, UserStatus},
    },
    store::{
        loans::{self, NewPayRef},
        products, profiles, users,
    },
    values::{
        moment::Moment,
        names::Names,
        time::{BusinessDate, Instant},
    },
};
use jiff::{
    Timestamp, ToSpan,
    civil::{Date, date},
    tz::TimeZone,
};
use lending::{AnnualRate, Currency, EventKind, Money};
use secrecy::SecretString;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

/// The password of all demo users.
pub const PASSWORD: &str = "microloans-demo";

const USERS: [(&str, Role, &str, &str); 8] = [
    ("admin", Role::Admin, "Ada Admin", "+15550100001"),
    ("agent", Role::Agent, "Abel Agent", "+15550100002"),
    ("customer", Role::Customer, "Cora Customer", "+15550100003"),
    ("usr_kenya_001", Role::Customer, "Wanjiru Kamau", "+254700000001"),
    ("usr_india_002", Role::Customer, "Asha Patel", "+919800000002"),
    ("usr_nigeria_003", Role::Customer, "Chidi Okafor", "+2348000000003"),
    ("usr_vietnam_004", Role::Customer, "Linh Nguyen", "+84900000004"),
    ("usr_philippines_005", Role::Customer, "Maria Santos", "+639000000005"),
];

/// A borrower whom the agent knows: date of birth, country, kind and number of the identity, town, occupation.
type Known = (&'static str, Date, [&'static str; 3], &'static str, &'static str);

const KNOWN: [Known; 5] = [
    ("usr_kenya_001", date(1988, 3, 14), ["KE", "national-id", "27410358"], "Nairobi", "trader"),
    ("usr_india_002", date(1991, 5, 17), ["IN", "pan", "ABCPA1234F"], "Pune", "tailor"),
    ("usr_nigeria_003", date(1984, 11, 2), ["NG", "nin", "40718826355"], "Ibadan", "driver"),
    ("usr_vietnam_004", date(1995, 8, 30), ["VN", "cccd", "046195002718"], "Hue", "cook"),
    ("usr_philippines_005", date(1979, 1, 25), ["PH", "philsys", "3571904826015537"], "Cebu", "farmer"),
];

/// A demo loan: who borrows what on which terms, and how far it has come.
struct DemoLoan {
    borrower: &'static str,
    currency: &'static str,
    amount: &'static str,
    months: u32,
    rate: &'static str,
    status: LoanStatus,
}

const LOANS: [DemoLoan; 5] = [
    loan("usr_kenya_001", "KES", "12500", 6, "28", LoanStatus::Pending),
    loan("usr_india_002", "INR", "50000", 12, "24", LoanStatus::Approved),
    loan("usr_nigeria_003", "NGN", "32000", 9, "30", LoanStatus::Rejected),
    loan("usr_vietnam_004", "VND", "8400", 4, "26", LoanStatus::Disbursed),
    loan("usr_philippines_005", "PHP", "21000", 6, "22", LoanStatus::Repaid),
];

const fn loan(
    borrower: &'static str,
    currency: &'static str,
    amount: &'static str,
    months: u32,
    rate: &'static str,
    status: LoanStatus,
) -> DemoLoan {
    DemoLoan { borrower, currency, amount, months, rate, status }
}

const USER_ID: &str = "SELECT id FROM users WHERE username = $1";

struct Id(Uuid);

impl FromRow for Id {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self(column(row, "id")?))
    }
}

async fn user(client: &Client, username: &'static str) -> Result<Option<Uuid>, MigrateError> {
    let id: Option<Id> = Sql::new(USER_ID).bind(username).optional().run(client).await?;
    Ok(id.map(|Id(id)| id))
}

/// Loads the demo data where there are no users but, perhaps, the first admin. Returns whether it did.
pub(crate) async fn load(client: &Client, zone: &TimeZone) -> Result<bool, MigrateError> {
    let known = client.query_one("SELECT EXISTS (SELECT FROM users WHERE role <> 'admin')", &[]).await?;
    if known.get(0) {
        return Ok(false);
    }
    // One hash for all: everyone knows the password.
    let hash = passwords::hash(SecretString::from(PASSWORD)).await.map_err(|problem| MigrateError::hash(&problem))?;
    let now = Timestamp::now();
    // Loans are a moment apart, so that lists have an order, and none is in the future.
    let at = Moment { now: now - 10.seconds(), today: zone.to_datetime(now).date(), zone };
    client.batch_execute("BEGIN").await?;
    let loaded = load_all(client, &hash, at).await;
    client.batch_execute(if loaded.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    loaded.map(|()| true)
}

async fn load_all(client: &Client, hash: &str, at: Moment<'_>) -> Result<(), MigrateError> {
    for (username, role, full_name, phone) in USERS {
        if user(client, username).await?.is_none() {
            let user = User {
                id: Uuid::now_v7(),
                username: username.into(),
                email: Some(format!("{username}@demo.example")),
                phone: Some(phone.into()),
                full_name: Some(full_name.into()),
                role,
                status: UserStatus::Active,
                agent_id: None,
                kyc: Kyc::default(),
                names: Names::default(),
                totp_since: None,
                created_at: Instant(at.now),
                updated_at: Instant(at.now),
            };
            users::insert(&user, Some(hash.to_owned())).run(client).await?;
        }
    }
    let missing = |name: &str| MigrateError::Demo(format!("there is no user {name}"));
    let agent = user(client, "agent").await?.ok_or_else(|| missing("agent"))?;
    let admin = user(client, "admin").await?.ok_or_else(|| missing("admin"))?;
    for known in KNOWN {
        let id = user(client, known.0).await?.ok_or_else(|| missing(known.0))?;
        let customer = users::by_id(id).run(client).await?.ok_or_else(|| missing(known.0))?;
        for write in introduce(customer, known, agent, admin) {
            write.run(client).await?;
        }
    }
    for (demo, seconds) in LOANS.iter().zip(1_i64..) {
        let borrower = user(client, demo.borrower).await?.ok_or_else(|| missing(demo.borrower))?;
        let borrower = Borrower { id: borrower, username: demo.borrower.into() };
        let at = Moment { now: at.now + seconds.seconds(), ..at };
        for write in demo.writes(client, borrower, agent, admin, at).await? {
            write.run(client).await?;
        }
    }
    Ok(())
}

/// The writes by which a borrower is the agent's, has a profile, and is verified by the admin.
fn introduce(customer: User, known: Known, agent: Uuid, admin: Uuid) -> Vec<Statement<()>> {
    let (_, born, [country, kind, number], city, occupation) = known;
    let profile = Profile {
        date_of_birth: Some(BusinessDate(born)),
        national_id: Some(NationalId { country: country.into(), kind: kind.into(), number: number.into() }),
        address: Some(Address { city: Some(city.into()), country: Some(country.into()), ..Address::default() }),
        occupation: Some(occupation.into()),
        ..Profile::default()
    };
    let (by, at) = (Some(admin), Some(customer.created_at));
    let kyc = Kyc { status: KycStatus::Verified, by, at, ..Kyc::default() };
    let mut writes = profiles::insert(agent, customer.id, None, &profile);
    writes.push(users::update_profile(&User { agent_id: Some(agent), kyc, ..customer }));
    writes
}

impl DemoLoan {
    /// The writes that bring the loan to its state, by the steps that people would take.
    async fn writes(
        &self,
        client: &Client,
        borrower: Borrower,
        agent: Uuid,
        admin: Uuid,
        at: Moment<'_>,
    ) -> Result<Vec<Statement<()>>, MigrateError> {
        let impossible = |error: &dyn std::fmt::Display| MigrateError::Demo(error.to_string());
        let currency = Currency::from_code(self.currency).map_err(|error| impossible(&error))?;
        let amount = Money::parse(self.amount, currency).map_err(|error| impossible(&error))?;
        let rate = AnnualRate::parse(self.rate).map_err(|error| impossible(&error))?;
        let product = products::named_or_default(None, currency).run(client).await?;
        let product = product.ok_or_else(|| impossible(&"there is no product"))?;
        let refused = |refusal: Refusal| MigrateError::demo(&refusal);

        let term = Some(Term::Months(self.months));
        let proposal = Proposal::new(product, amount, term, Some(rate), Pointers::PLAIN).map_err(refused)?;
        let NewPayRef(pay_ref) = loans::new_pay_ref().run(client).await?;
        let loan = applications::create((borrower, pay_ref), proposal, agent, Some(agent), at, Pointers::PLAIN)
            .map_err(refused)?;
        let mut writes = loans::insert(&loan, None, at);
        let mut decide = |verdict, action, reason: &str| {
            let decided = applications::decide(&loan, verdict, admin, Some(reason.into()), at).map_err(refused)?;
            writes.extend(loans::step(&loan, &decided, action, admin, Some(reason.into()), at));
            let steps = vec![ApplicationStep::to(&loan), ApplicationStep::to(&decided)];
            Ok::<LockedLoan, MigrateError>(LockedLoan { loan: decided, transactions: Vec::new(), steps })
        };
        match self.status {
            LoanStatus::Rejected => {
                decide(LoanStatus::Rejected, Action::Reject, "income too low")?;
            }
            LoanStatus::Approved => {
                decide(LoanStatus::Approved, Action::Approve, "income confirmed")?;
            }
            LoanStatus::Disbursed => {
                let approved = decide(LoanStatus::Approved, Action::Approve, "income confirmed")?;
                writes.extend(disburse(approved, at.today, admin, at)?.writes());
            }
            LoanStatus::Repaid => {
                let approved = decide(LoanStatus::Approved, Action::Approve, "income confirmed")?;
                let recorded = disburse(approved, at.today - 7.months(), admin, at)?;
                writes.extend(recorded.writes());
                writes.extend(self.pay(recorded, admin, at)?);
            }
            LoanStatus::Pending | LoanStatus::Withdrawn | LoanStatus::Defaulted => {}
        }
        Ok(writes)
    }

    /// The writes of payments that repay the loan, each instalment on its day, and of others at the same counter. Of
    /// the last instalment's a part is too much.
    fn pay(&self, recorded: Recorded, admin: Uuid, at: Moment<'_>) -> Result<Vec<Statement<()>>, MigrateError> {
        let defect = || MigrateError::Demo("an amount is out of range".into());
        let schedule = recorded.loan.schedule().map_err(|refusal| MigrateError::Demo(refusal.to_string()))?;
        let more = Money::parse("250", recorded.loan.amount.currency()).map_err(|_| defect())?;
        let payer = USERS.iter().find(|(username, ..)| *username == self.borrower).ok_or_else(defect)?;
        let mut locked = recorded.into_locked();
        let mut counter = Counter::new(&locked, (payer.2, payer.3), admin, at);
        let mut writes = vec![counter.insert()];
        let last = schedule.rows.last().map(|row| row.due_on);
        for row in schedule.rows {
            let amount = if Some(row.due_on) == last { row.due.checked_add(more) } else { Some(row.due) };
            let amounts = (amount.ok_or_else(defect)?, row.due);
            let (recorded, paid) = counter.pay(locked, amounts, row.due_on, at)?;
            writes.extend(paid);
            locked = recorded.into_locked();
        }
        writes.extend(counter.waiting_and_returned(more, at));
        Ok(writes)
    }
}

fn disburse(locked: LockedLoan, on: Date, by: Uuid, at: Moment<'_>) -> Result<Recorded, MigrateError> {
    let kind = EventKind::Disbursement { first_due_on: None, calendar: None };
    let new = NewTransaction { kind, on, notes: Notes::default() };
    servicing::record(locked, new, by, at, "").map_err(|refusal| MigrateError::demo(&refusal))
}
