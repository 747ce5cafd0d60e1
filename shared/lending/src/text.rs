//! Text that people read: invisible text, and text that leaves its line.

/// True if a text has no visible character: only blanks, and characters without a glyph of their
/// own.
///
/// ```
/// assert!(lending::is_blank(" \u{200b}\u{3164}"));
/// assert!(!lending::is_blank("\u{200b}a"));
/// ```
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(shows_nothing)
}

/// True if a text stays on one line, in the order of its characters: no control characters, no line
/// separators, and no marks that reverse the direction of writing and make text look like another.
///
/// ```
/// assert!(lending::is_one_line("Asha Patel"));
/// assert!(!lending::is_one_line("Asha\u{202e}letaP"));
/// ```
#[must_use]
pub fn is_one_line(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_bidi_control(c))
}

/// Unicode's property `Bidi_Control`.
const fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// True if a character is invisible.
///
/// Unicode's properties `White_Space`, `Default_Ignorable_Code_Point` and the general category `Control`, the anchors
/// of interlinear annotation, and two characters whose picture is empty: the blank pattern of Braille and the null
/// notehead.
#[must_use]
pub fn shows_nothing(c: char) -> bool {
    is_default_ignorable(c)
        || c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{2800}' | '\u{1d159}')
}

/// Unicode's property `Default_Ignorable_Code_Point`, which covers code points that are not assigned yet.
#[must_use]
pub const fn is_default_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_shows_nothing_is_blank() {
        for text in [
            "",
            " ",
            "\t\n",
            "\u{a0}",
            "\u{ad}",
            "\u{34f}",
            "\u{115f}",
            "\u{180e}",
            "\u{200b}",
            "\u{200d}",
            "\u{2028}",
            "\u{202e}",
            "\u{2060}",
            "\u{2800}",
            "\u{3000}",
            "\u{3164}",
            "\u{fe0f}",
            "\u{feff}",
            "\u{ffa0}",
            "\u{fffa}",
            "\u{1d159}",
            "\u{1d173}",
            "\u{e0041}",
            " \u{200b}\u{2800}",
        ] {
            assert!(is_blank(text), "{text:?}");
        }
        for text in ["a", "\u{200b}a", "आशा", "علي", "김", "⠁", "0", "-", "👩\u{200d}🌾", "❤\u{fe0f}"]
        {
            assert!(!is_blank(text), "{text:?}");
        }
    }

    #[test]
    fn one_line_has_no_separators_and_runs_one_way() {
        for c in ["\n", "\r", "\0", "\u{85}", "\u{2028}", "\u{2029}", "\u{61c}", "\u{200e}", "\u{202e}", "\u{2069}"] {
            assert!(!is_one_line(&format!("a{c}b")), "{c:?}");
        }
        for text in ["", "Asha Patel", "O\u{2019}Brien", "علي حسن", "क्\u{200d}ष", "可\u{3000}可"] {
            assert!(is_one_line(text), "{text:?}");
        }
    }
}
