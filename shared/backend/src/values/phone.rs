//! Telephone numbers as people write them, read as E.164.

/// Calling codes of countries, by ISO 3166.
const CALLING_CODES: &[(&str, &str)] = &[
    ("AE", "971"),
    ("AO", "244"),
    ("AR", "54"),
    ("AT", "43"),
    ("AU", "61"),
    ("BD", "880"),
    ("BE", "32"),
    ("BF", "226"),
    ("BI", "257"),
    ("BJ", "229"),
    ("BO", "591"),
    ("BR", "55"),
    ("BW", "267"),
    ("CA", "1"),
    ("CD", "243"),
    ("CF", "236"),
    ("CG", "242"),
    ("CH", "41"),
    ("CI", "225"),
    ("CL", "56"),
    ("CM", "237"),
    ("CN", "86"),
    ("CO", "57"),
    ("CR", "506"),
    ("CV", "238"),
    ("CZ", "420"),
    ("DE", "49"),
    ("DJ", "253"),
    ("DK", "45"),
    ("DO", "1"),
    ("DZ", "213"),
    ("EC", "593"),
    ("EG", "20"),
    ("ER", "291"),
    ("ES", "34"),
    ("ET", "251"),
    ("FI", "358"),
    ("FR", "33"),
    ("GA", "241"),
    ("GB", "44"),
    ("GE", "995"),
    ("GH", "233"),
    ("GM", "220"),
    ("GN", "224"),
    ("GQ", "240"),
    ("GT", "502"),
    ("GW", "245"),
    ("HN", "504"),
    ("HT", "509"),
    ("ID", "62"),
    ("IE", "353"),
    ("IN", "91"),
    ("IQ", "964"),
    ("IT", "39"),
    ("JM", "1"),
    ("JO", "962"),
    ("JP", "81"),
    ("KE", "254"),
    ("KG", "996"),
    ("KH", "855"),
    ("KM", "269"),
    ("KR", "82"),
    ("KW", "965"),
    ("KZ", "7"),
    ("LA", "856"),
    ("LB", "961"),
    ("LK", "94"),
    ("LR", "231"),
    ("LS", "266"),
    ("LY", "218"),
    ("MA", "212"),
    ("MG", "261"),
    ("ML", "223"),
    ("MM", "95"),
    ("MN", "976"),
    ("MR", "222"),
    ("MU", "230"),
    ("MW", "265"),
    ("MX", "52"),
    ("MY", "60"),
    ("MZ", "258"),
    ("NA", "264"),
    ("NE", "227"),
    ("NG", "234"),
    ("NI", "505"),
    ("NL", "31"),
    ("NO", "47"),
    ("NP", "977"),
    ("NZ", "64"),
    ("OM", "968"),
    ("PA", "507"),
    ("PE", "51"),
    ("PG", "675"),
    ("PH", "63"),
    ("PK", "92"),
    ("PL", "48"),
    ("PT", "351"),
    ("PY", "595"),
    ("QA", "974"),
    ("RO", "40"),
    ("RW", "250"),
    ("SA", "966"),
    ("SC", "248"),
    ("SD", "249"),
    ("SE", "46"),
    ("SG", "65"),
    ("SL", "232"),
    ("SN", "221"),
    ("SO", "252"),
    ("SS", "211"),
    ("ST", "239"),
    ("SV", "503"),
    ("SZ", "268"),
    ("TD", "235"),
    ("TG", "228"),
    ("TH", "66"),
    ("TJ", "992"),
    ("TL", "670"),
    ("TN", "216"),
    ("TR", "90"),
    ("TZ", "255"),
    ("UA", "380"),
    ("UG", "256"),
    ("US", "1"),
    ("UY", "598"),
    ("UZ", "998"),
    ("VN", "84"),
    ("YE", "967"),
    ("ZA", "27"),
    ("ZM", "260"),
    ("ZW", "263"),
];

/// The calling code of a country.
#[must_use]
pub fn calling_code(country: &str) -> Option<&'static str> {
    CALLING_CODES.iter().find(|(known, _)| *known == country).map(|(_, code)| *code)
}

/// A number without blanks and signs between its digits: in E.164 if it names its country, else the bare digits.
/// Neither for other text.
#[must_use]
pub fn typed(text: &str) -> (Option<String>, Option<String>) {
    let bare: String = text.chars().filter(|c| !c.is_whitespace() && !"-().".contains(*c)).collect();
    let is_number =
        |digits: &&str| (6..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    match bare.strip_prefix('+').or_else(|| bare.strip_prefix("00")) {
        Some(digits) => (Some(digits).filter(is_number).map(|digits| format!("+{digits}")), None),
        None => (None, Some(bare.as_str()).filter(is_number).map(str::to_owned)),
    }
}

/// The numbers in E.164 that a text may mean: with the country's code, after a plus, two zeros or nothing; or within a
/// country, with its leading zero or without. None for other text, such as a masked number.
///
/// ```
/// use backend::values::phone::candidates;
///
/// assert_eq!(candidates("0708 374-149", Some("KE")), ["+254708374149"]);
/// assert_eq!(candidates("254708374149", Some("KE")), ["+254708374149", "+254254708374149"]);
/// assert_eq!(candidates("2547*****149", Some("KE")), Vec::<String>::new());
/// ```
#[must_use]
pub fn candidates(text: &str, country: Option<&str>) -> Vec<String> {
    let bare: String = text.chars().filter(|c| !c.is_whitespace() && !"-().".contains(*c)).collect();
    let calling = country.and_then(calling_code);
    let is_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let e164 =
        |digits: String| ((8..=15).contains(&digits.len()) && !digits.starts_with('0')).then(|| format!("+{digits}"));
    if let Some(digits) = bare.strip_prefix('+').or_else(|| bare.strip_prefix("00")) {
        return if is_digits(digits) { e164(digits.to_owned()).into_iter().collect() } else { Vec::new() };
    }
    if !is_digits(&bare) {
        return Vec::new();
    }
    let international = match calling {
        Some(code) => bare.starts_with(code).then(|| e164(bare.clone())).flatten(),
        None => e164(bare.clone()),
    };
    let national = calling.and_then(|code| e164(format!("{code}{}", bare.strip_prefix('0').unwrap_or(&bare))));
    international.into_iter().chain(national).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_read_after_the_country() {
        let read = |text, country| candidates(text, country).into_iter().next().unwrap_or_default();
        for (text, country, e164) in [
            ("+254708374149", None, "+254708374149"),
            ("00254708374149", Some("VN"), "+254708374149"),
            ("708374149", Some("KE"), "+254708374149"),
            ("(0708) 374.149", Some("KE"), "+254708374149"),
            ("254708374149", None, "+254708374149"),
            ("0708374149", None, ""),
            ("A123", Some("KE"), ""),
            ("", Some("KE"), ""),
        ] {
            assert_eq!(read(text, country), e164, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_leads_to_numbers_or_to_none(text in any::<String>()) {
            for number in candidates(&text, Some("KE")) {
                prop_assert!(number.len() <= 16 && number[1..].bytes().all(|byte| byte.is_ascii_digit()), "{}", number);
            }
        }
    }
}
