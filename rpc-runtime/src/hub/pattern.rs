//! The patterns of namespaces, with which names of channels are matched, and what their parameters are read as.

use std::{any::TypeId, fmt, ops::Range, str::FromStr};

use super::name::{LONGEST_NAME, RESERVED, is_allowed};

/// Which channels belong to a namespace: a name in which some segments stand for any, such as `room:{id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter(String),
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// A segment is neither a name's nor a parameter.
    #[error(
        "`{pattern}`: `{segment}` is no segment: write letters, digits and `._-~@=+`, or a parameter such as `{{id}}`"
    )]
    Segment {
        /// The whole pattern.
        pattern: String,
        /// The segment.
        segment: String,
    },
    /// Two parameters have one name.
    #[error("`{pattern}`: two parameters are named `{parameter}`")]
    Twice {
        /// The whole pattern.
        pattern: String,
        /// Their name.
        parameter: String,
    },
    /// The first segment is the framework's.
    #[error(
        "`{pattern}`: channels that begin with `{segment}:` are the framework's own; choose another first segment"
    )]
    Reserved {
        /// The whole pattern.
        pattern: String,
        /// The first segment.
        segment: String,
    },
    /// It is too long.
    #[error("`{pattern}` is longer than 255 bytes")]
    TooLong {
        /// The whole pattern.
        pattern: String,
    },
}

impl Segment {
    fn is_parameter(&self) -> bool {
        matches!(self, Self::Parameter(_))
    }
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Self, PatternError> {
        let pattern = || text.to_owned();
        if text.len() > LONGEST_NAME {
            return Err(PatternError::TooLong { pattern: pattern() });
        }
        let mut segments: Vec<Segment> = Vec::new();
        for segment in text.split(':') {
            let parameter = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            let is_name =
                |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            segments.push(match parameter {
                Some(name) if is_name(name) => {
                    let parameter = Segment::Parameter(name.to_owned());
                    if segments.contains(&parameter) {
                        return Err(PatternError::Twice {
                            pattern: pattern(),
                            parameter: name.to_owned(),
                        });
                    }
                    parameter
                }
                None if !segment.is_empty() && segment.bytes().all(is_allowed) => {
                    Segment::Literal(segment.to_owned())
                }
                _ => {
                    return Err(PatternError::Segment {
                        pattern: pattern(),
                        segment: segment.to_owned(),
                    });
                }
            });
        }
        if let Some(Segment::Literal(first)) = segments.first()
            && RESERVED.contains(&first.as_str())
        {
            return Err(PatternError::Reserved {
                pattern: pattern(),
                segment: first.clone(),
            });
        }
        Ok(Self {
            text: pattern(),
            segments,
        })
    }

    /// As it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// How many parameters it has.
    pub(crate) fn parameters(&self) -> usize {
        let parameters = self
            .segments
            .iter()
            .filter(|s| matches!(s, Segment::Parameter(_)));
        parameters.count()
    }

    /// The values of the parameters, in their order, where the name belongs to the pattern. No name of a client's own channel
    /// does, nor one of the framework's.
    pub(crate) fn matches<'n>(&self, name: &'n str) -> Option<Vec<&'n str>> {
        let mut values = Vec::with_capacity(self.parameters());
        let mut at = 0;
        let mut segments = self.segments.iter();
        for segment in name.split(':') {
            match segments.next()? {
                Segment::Literal(literal) if literal == segment => {}
                Segment::Literal(_) => return None,
                Segment::Parameter(_) => {
                    if at == 0 && RESERVED.contains(&segment) {
                        return None;
                    }
                    values.push(
                        &name[Range {
                            start: at,
                            end: at + segment.len(),
                        }],
                    );
                }
            }
            at += segment.len() + 1;
        }
        segments.next().is_none().then_some(values)
    }

    /// The name of the channel whose parameters are these.
    pub(crate) fn name_of(&self, params: &impl ChannelParams) -> String {
        let mut name = String::new();
        let mut parameters = 0..;
        for (index, segment) in self.segments.iter().enumerate() {
            if index > 0 {
                name.push(':');
            }
            match (
                segment,
                segment.is_parameter().then(|| parameters.next()).flatten(),
            ) {
                (Segment::Literal(literal), _) => name.push_str(literal),
                // A text that refuses to be written is written by nobody.
                (Segment::Parameter(_), at) => drop(params.write(at.unwrap_or_default(), &mut name)),
            }
        }
        name
    }
}

/// What the parameters of a namespace's pattern are read as: a tuple of up to four types that are read from text and written as
/// text, such as `(u64,)` for `room:{id}`.
///
/// A channel whose parameters cannot be read belongs to no namespace. One whose parameters are written in another way than
/// their types write them, such as `room:05`, is no channel beside `room:5`: it is refused, and whoever has the right is told
/// how it is written.
pub trait ChannelParams: Sized + Send + Sync + 'static {
    /// How many there are.
    const COUNT: usize;

    /// Reads them; `None` where one cannot be read. Gets exactly [`COUNT`](Self::COUNT) values.
    fn read(values: &[&str]) -> Option<Self>;

    /// Writes the one at `index`.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    fn write(&self, index: usize, to: &mut dyn fmt::Write) -> fmt::Result;

    /// Whether every text can be read, and is written as it was: nothing has to be looked at then.
    #[doc(hidden)]
    #[must_use]
    fn takes_any_text() -> bool {
        false
    }
}

/// How a channel's parameters are written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// As their types write them.
    Canonical,
    /// In another way: this is the channel that is meant.
    Other(String),
    /// They cannot be read.
    Unreadable,
}

/// How the parameters of a name that belongs to a pattern are written, as what they are read as.
pub(crate) fn spelling_of<P: ChannelParams>(pattern: &Pattern, values: &[&str]) -> Spelling {
    let Some(params) = P::read(values) else {
        return Spelling::Unreadable;
    };
    let is_canonical = values.iter().enumerate().all(|(index, value)| {
        let mut rest = Rest(value);
        params.write(index, &mut rest).is_ok() && rest.0.is_empty()
    });
    match is_canonical {
        true => Spelling::Canonical,
        false => Spelling::Other(pattern.name_of(&params)),
    }
}

/// What is left of a text of which the same was written so far.
struct Rest<'a>(&'a str);

impl fmt::Write for Rest<'_> {
    fn write_str(&mut self, written: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(written).ok_or(fmt::Error)?;
        Ok(())
    }
}

macro_rules! params {
    ($count:literal $($type:ident $at:tt),*) => {
        impl<$($type: FromStr + fmt::Display + Send + Sync + 'static),*> ChannelParams for ($($type,)*) {
            const COUNT: usize = $count;

            fn read(values: &[&str]) -> Option<Self> {
                let _ = values;
                Some(($(values.get($at)?.parse::<$type>().ok()?,)*))
            }

            fn takes_any_text() -> bool {
                true $(&& TypeId::of::<$type>() == TypeId::of::<String>())*
            }

            fn write(&self, index: usize, to: &mut dyn fmt::Write) -> fmt::Result {
                let _ = &to;
                match index {
                    $($at => write!(to, "{}", self.$at),)*
                    _ => Ok(()),
                }
            }
        }
    };
}

params!(0);
params!(1 A 0);
params!(2 A 0, B 1);
params!(3 A 0, B 1, C 2);
params!(4 A 0, B 1, C 2, D 3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_gives_the_values_of_its_parameters() {
        let pattern = Pattern::parse("game:{id}:team:{team}").unwrap();
        assert_eq!(pattern.matches("game:7:team:red"), Some(vec!["7", "red"]));
        for other in ["game:7", "game:7:team", "game:7:team:red:x", "play:7:team:red"] {
            assert_eq!(pattern.matches(other), None, "{other}");
        }
        assert_eq!(<(u64, String)>::read(&["7", "red"]), Some((7, "red".to_owned())));
        assert_eq!(<(u64,)>::read(&["x"]), None);
    }

    #[test]
    fn a_name_is_canonical_where_its_parameters_are_written_as_their_types_write_them() {
        let pattern = Pattern::parse("game:{id}:team:{team}").unwrap();
        let spelling = |name: &str| {
            let values = pattern.matches(name).unwrap();
            spelling_of::<(u64, String)>(&pattern, &values)
        };
        let other = |name: &str| Spelling::Other(name.to_owned());
        assert_eq!(spelling("game:7:team:007"), Spelling::Canonical);
        assert_eq!(spelling("game:07:team:red"), other("game:7:team:red"));
        assert_eq!(spelling("game:+7:team:red"), other("game:7:team:red"));
        assert_eq!(spelling("game:x:team:red"), Spelling::Unreadable);
        let flags = Pattern::parse("{a}:{b}:{c}:{d}").unwrap();
        let values = ["true", "1.50", "-0", "+0"];
        assert_eq!(
            spelling_of::<(bool, f64, i8, i8)>(&flags, &values),
            other("true:1.5:0:0")
        );
        assert_eq!(
            spelling_of::<()>(&Pattern::parse("news").unwrap(), &[]),
            Spelling::Canonical
        );
    }

    #[test]
    fn no_pattern_takes_what_is_the_frameworks() {
        assert!(matches!(
            Pattern::parse("client:{id}"),
            Err(PatternError::Reserved { .. })
        ));
        let all = Pattern::parse("{kind}:{id}").unwrap();
        assert_eq!(all.matches("client:5"), None);
        assert_eq!(all.matches("rooms:5"), Some(vec!["rooms", "5"]));
    }

    #[test]
    fn a_pattern_with_a_mistake_is_told_what_is_wrong() {
        for (pattern, problem) in [
            ("", "is no segment"),
            ("room:{}", "`{}` is no segment"),
            ("room:{id", "`{id` is no segment"),
            ("a:{x}:{x}", "two parameters are named `x`"),
            ("rpc:x", "the framework's own"),
        ] {
            let error = Pattern::parse(pattern).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}
