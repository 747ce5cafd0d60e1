//! The people of a generated book: admins, agents and customers, each a function of its number.

use backend::{
    domain::{
        kyc::{Kyc, KycStatus},
        profile::{Address, NationalId, Profile},
        users::{Role, User, UserStatus},
    },
    values::{
        names::Names,
        time::{BusinessDate, Instant},
    },
};
use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, date},
};

use super::{
    calendar::Calendar,
    dice::{Dice, Stream},
};

/// A country that is lent in.
pub(super) struct Country {
    /// ISO 4217.
    pub(super) currency: &'static str,
    /// ISO 3166.
    code: &'static str,
    /// Where customers live.
    cities: [&'static str; 3],
    /// The name of the identity that the authorities give.
    identity: &'static str,
    /// The prefix of phone numbers there, and how many digits follow.
    phone: (&'static str, u32),
    given: [&'static str; 12],
    family: [&'static str; 12],
}

/// Where customers live. An agent works in one of these.
pub(super) const COUNTRIES: [Country; 5] = [
    Country {
        currency: "KES",
        code: "KE",
        cities: ["Nairobi", "Kisumu", "Nakuru"],
        identity: "national-id",
        phone: ("+2547", 8),
        given: [
            "Wanjiru", "Achieng", "Kamau", "Otieno", "Njeri", "Mwangi", "Akinyi", "Kiprop", "Wambui", "Barasa",
            "Chebet", "Juma",
        ],
        family: [
            "Kamau", "Odhiambo", "Mwangi", "Kipchoge", "Njoroge", "Wafula", "Ochieng", "Mutua", "Kariuki", "Omondi",
            "Langat", "Hassan",
        ],
    },
    Country {
        currency: "INR",
        code: "IN",
        cities: ["Pune", "Nagpur", "Nashik"],
        identity: "pan",
        phone: ("+919", 9),
        given: [
            "Asha", "Priya", "Ravi", "Sunita", "Arjun", "Lakshmi", "Meena", "Vikram", "Kavita", "Deepak", "Geeta",
            "Manoj",
        ],
        family: [
            "Patel", "Sharma", "Reddy", "Nair", "Das", "Yadav", "Gupta", "Kumari", "Singh", "Iyer", "Joshi", "Khan",
        ],
    },
    Country {
        currency: "NGN",
        code: "NG",
        cities: ["Lagos", "Ibadan", "Kano"],
        identity: "nin",
        phone: ("+23480", 8),
        given: [
            "Chidi", "Ngozi", "Emeka", "Amina", "Tunde", "Funke", "Bola", "Ifeoma", "Musa", "Halima", "Segun", "Chioma",
        ],
        family: [
            "Okafor", "Adeyemi", "Bello", "Eze", "Abubakar", "Ogunleye", "Nwosu", "Danjuma", "Balogun", "Obi", "Lawal",
            "Uche",
        ],
    },
    Country {
        currency: "PHP",
        code: "PH",
        cities: ["Cebu", "Davao", "Iloilo"],
        identity: "philsys",
        phone: ("+639", 9),
        given: ["Maria", "Jose", "Ana", "Ramon", "Liza", "Carlo", "Grace", "Noel", "Rosa", "Danilo", "Jenny", "Arturo"],
        family: [
            "Santos",
            "Reyes",
            "Cruz",
            "Bautista",
            "Ocampo",
            "Garcia",
            "Mendoza",
            "Torres",
            "Flores",
            "Ramos",
            "Castillo",
            "Villanueva",
        ],
    },
    Country {
        currency: "VND",
        code: "VN",
        cities: ["Hue", "Can Tho", "Da Nang"],
        identity: "cccd",
        phone: ("+849", 8),
        given: ["Linh", "Minh", "Hoa", "Tuan", "Lan", "Dung", "Mai", "Hung", "Thao", "Nam", "Huong", "Quang"],
        family: ["Nguyen", "Tran", "Le", "Pham", "Hoang", "Phan", "Vu", "Dang", "Bui", "Do", "Ngo", "Duong"],
    },
];

/// Loans for each agent, about.
const LOANS_AN_AGENT: u64 = 400;

/// Agents for each admin, about.
const AGENTS_AN_ADMIN: usize = 25;

/// A customer with the properties that its loans follow from.
pub(super) struct Customer {
    pub(super) user: User,
    /// The number of the country.
    pub(super) country: usize,
    /// The number of the agent who knows the customer.
    pub(super) agent: usize,
    /// The profile.
    pub(super) profile: Profile,
}

/// Everyone who works for the lender, and how customers are made.
pub(super) struct People {
    seed: u64,
    pub(super) admins: Vec<User>,
    pub(super) agents: Vec<User>,
}

impl People {
    pub(super) fn new(seed: u64, loans: u64, calendar: &Calendar) -> Self {
        // At least one in every country.
        let countries = u64::try_from(COUNTRIES.len()).unwrap_or_default();
        let agents = (loans / LOANS_AN_AGENT).max(countries);
        let first = calendar.first_day();
        let agents: Vec<User> = (0..agents)
            .map(|number| {
                let mut dice = Dice::new(seed, Stream::Agent(number));
                let since = calendar.at(first - dice.between(5..=60).days(), &mut dice);
                let country = usize::try_from(number).unwrap_or_default() % COUNTRIES.len();
                user(&mut dice, Role::Agent, format!("book-agent-{}", number + 1), country, since)
            })
            .collect();
        let admins = (0..2 + agents.len() / AGENTS_AN_ADMIN).map(|number| {
            let number = u64::try_from(number).unwrap_or_default();
            let mut dice = Dice::new(seed, Stream::Admin(number));
            let since = calendar.at(first - 90.days(), &mut dice);
            user(&mut dice, Role::Admin, format!("book-admin-{}", number + 1), 0, since)
        });
        Self { seed, admins: admins.collect(), agents }
    }

    /// A customer, who was there some days before its first loan.
    pub(super) fn customer(&self, number: u64, first_loan_on: Date, calendar: &Calendar) -> Customer {
        let mut dice = Dice::new(self.seed, Stream::Customer(number));
        let agent = usize::try_from(dice.between(0..=i64::MAX)).unwrap_or_default() % self.agents.len();
        let country = agent % COUNTRIES.len();
        let since = calendar.at(first_loan_on - dice.between(1..=30).days(), &mut dice);
        let mut user = user(&mut dice, Role::Customer, String::new(), country, since);
        let name = user.full_name.as_deref().unwrap_or_default().to_lowercase().replace(' ', ".");
        user.username = format!("{name}.{}", number + 1);
        user.email = Some(email(&user.username));
        user.agent_id = Some(self.agents[agent].id);
        if dice.percent(80)
            && let Some(admin) = self.admins.first()
        {
            let (by, at) = (Some(admin.id), Some(user.created_at));
            user.kyc = Kyc { status: KycStatus::Verified, by, at, ..Kyc::default() };
        }
        let profile = profile(&mut dice, number, country);
        Customer { user, country, agent, profile }
    }
}

/// The profile that an agent writes down.
fn profile(dice: &mut Dice, number: u64, country: usize) -> Profile {
    let Country { code, cities, identity, .. } = &COUNTRIES[country];
    let born = date(1960, 1, 1) + dice.between(0..=16_000).days();
    let number = format!("{}{:07}{}", dice.between(10..=99), number, dice.between(10..=99));
    Profile {
        date_of_birth: Some(BusinessDate(born)),
        national_id: Some(NationalId { country: (*code).into(), kind: (*identity).into(), number }),
        address: Some(Address {
            city: Some((*dice.pick(cities)).into()),
            country: Some((*code).into()),
            ..Address::default()
        }),
        occupation: Some((*dice.pick(&["tailor", "farmer", "trader", "driver", "teacher", "cook"])).into()),
        ..Profile::default()
    }
}

fn user(dice: &mut Dice, role: Role, username: String, country: usize, since: Timestamp) -> User {
    let Country { phone: (prefix, digits), given, family, .. } = &COUNTRIES[country];
    let rest = dice.between(0..=10_i64.pow(*digits) - 1);
    User {
        id: dice.id(since),
        email: Some(email(&username)),
        username,
        phone: Some(format!("{prefix}{rest:0width$}", width = *digits as usize)),
        full_name: Some(format!("{} {}", dice.pick(given), dice.pick(family))),
        role,
        status: UserStatus::Active,
        agent_id: None,
        kyc: Kyc::default(),
        names: Names::default(),
        totp_since: None,
        created_at: Instant(since),
        updated_at: Instant(since),
    }
}

fn email(username: &str) -> String {
    format!("{username}@book.example")
}
