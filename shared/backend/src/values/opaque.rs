//! The profile `OpaqueString` of RFC 8265 (section 4), by which passwords are compared.
//!
//! Two rules of its string class, `FreeformClass` of RFC 8264 (section 4.3), are not applied: that on unassigned code
//! points, and those on code points allowed by context (`CONTEXTJ`, `CONTEXTO`). Both depend on the version of Unicode,
//! and an update of its tables must not refuse a password that was accepted.

use unicode_normalization::UnicodeNormalization as _;

/// A password has a character that the profile does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disallowed {
    /// A control character.
    #[error("must not contain control characters")]
    Control,
    /// Another one.
    #[error("must not hold characters that show nothing, separate lines, or have no meaning of their own")]
    Other,
}

/// The string in the form in which it is compared (section 4.2.2): every space is U+0020, and the rest in NFC.
///
/// # Errors
///
/// A character that is not allowed.
pub fn enforce(text: &str) -> Result<String, Disallowed> {
    let form: String = text.chars().map(|c| if is_space(c) { ' ' } else { c }).nfc().collect();
    if form.chars().any(char::is_control) {
        return Err(Disallowed::Control);
    }
    if form.chars().any(is_disallowed) {
        return Err(Disallowed::Other);
    }
    Ok(form)
}

/// Unicode's general category `Zs`.
const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// The characters that `FreeformClass` disallows beside control characters (RFC 8264, section 8), in the order of its
/// rules.
fn is_disallowed(c: char) -> bool {
    // Exceptions of RFC 5892 (section 2.6).
    let is_exception =
        matches!(c, '\u{640}' | '\u{7fa}' | '\u{302e}'..='\u{302f}' | '\u{3031}'..='\u{3035}' | '\u{303b}');
    let is_old_hangul_jamo = matches!(c,
        '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97c}' | '\u{d7b0}'..='\u{d7c6}' | '\u{d7cb}'..='\u{d7fb}');
    let is_join_control = matches!(c, '\u{200c}'..='\u{200d}');
    let is_noncharacter = matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe;
    // Neither a letter or digit, a space, a symbol nor punctuation: separators of lines, private use.
    let has_no_class = matches!(c,
        '\u{2028}' | '\u{2029}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{ffffd}' | '\u{100000}'..='\u{10fffd}');
    is_exception
        || is_old_hangul_jamo
        || (lending::is_default_ignorable(c) && !is_join_control)
        || is_noncharacter
        || has_no_class
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    /// The examples of RFC 8265, section 4.3, by their numbers there.
    #[test]
    fn the_examples_of_rfc_8265_section_4_3() {
        for (number, text, form) in [
            (12, "correct horse battery staple", "correct horse battery staple"),
            (13, "Correct Horse Battery Staple", "Correct Horse Battery Staple"),
            (14, "\u{3c0}\u{df}\u{e5}", "\u{3c0}\u{df}\u{e5}"),
            (15, "Jack of \u{2666}s", "Jack of \u{2666}s"),
            (16, "foo\u{1680}bar", "foo bar"),
        ] {
            assert_eq!(enforce(text).unwrap(), form, "{number}");
        }
        // 17, the empty string, is refused for its length.
        assert_eq!(enforce("my cat is a \u{9}by"), Err(Disallowed::Control), "18");
    }

    #[test]
    fn the_same_characters_have_one_form_whatever_keyboard_they_come_from() {
        assert_eq!(enforce("cafe\u{301}").unwrap(), "caf\u{e9}");
        assert_eq!(enforce("a\u{a0}b\u{2003}c\u{3000}d").unwrap(), "a b c d");
        // Jamo as a Mac types them.
        assert_eq!(enforce("\u{1112}\u{1161}\u{11ab}").unwrap(), "\u{d55c}");
        // Neither case, nor width, nor compatibility.
        for text in ["Pass", "\u{ff30}\u{ff41}", "\u{fb01}", "\u{b2}", "क्\u{200d}ष", "👩\u{200d}🌾", "l·l", "٣"]
        {
            assert_eq!(enforce(text).unwrap(), text, "{text:?}");
        }
    }

    #[test]
    fn what_the_profile_disallows_is_refused() {
        for c in [
            "\u{ad}",
            "\u{200b}",
            "\u{2028}",
            "\u{202e}",
            "\u{2060}",
            "\u{fe0f}",
            "\u{feff}",
            "\u{640}",
            "\u{303b}",
            "\u{1112}",
            "\u{e000}",
            "\u{fdd0}",
            "\u{ffff}",
            "\u{10ffff}",
            "\u{e0041}",
        ] {
            assert_eq!(enforce(&format!("a{c}b")), Err(Disallowed::Other), "{c:?}");
        }
        for c in ["\0", "\t", "\n", "\u{7f}", "\u{85}"] {
            assert_eq!(enforce(&format!("a{c}b")), Err(Disallowed::Control), "{c:?}");
        }
    }

    proptest! {
        /// The profile is idempotent (RFC 8264, section 7), and locks nobody out because of the version of Unicode:
        /// characters unknown to the tables are accepted.
        #[test]
        fn a_form_is_its_own_form(
            text in any::<String>(),
            unassigned in prop_oneof![Just('\u{378}'), Just('\u{2fe0}'), Just('\u{e1000}')],
        ) {
            if let Ok(form) = enforce(&text) {
                prop_assert_eq!(enforce(&form), Ok(form.clone()));
                let longer = form + &unassigned.to_string();
                prop_assert!(enforce(&longer).is_ok());
            }
        }
    }
}
