//! The grammar of the patterns that contracts name channels by: `room:{id}`.
//!
//! A name is of segments between colons; of a pattern each is either such a segment or a parameter in braces, which any
//! segment may stand for. The runtime reads the same grammar in `hub::name`, where names are matched with patterns; here
//! it is checked while a contract is compiled, so that a pattern that no channel can have is told where it is written.

/// How long a channel's name may be, and so its pattern, in bytes.
pub const MAX_LEN: usize = 255;

/// What the framework's own channels begin with.
pub const RESERVED: [&str; 2] = ["client", "rpc"];

/// What a segment may hold beside letters and digits of ASCII.
const MARKS: &str = "._~@=+-";

/// A part of a pattern, between two colons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment<'a> {
    /// Stands for itself: `room`.
    Literal(&'a str),
    /// Stands for any segment: `id`, written `{id}`.
    Parameter(&'a str),
}

/// Reads a pattern.
///
/// # Errors
///
/// With a sentence that says what is wrong and what to write instead.
///
/// ```
/// use rpc_schema::channels::{Segment, parse};
///
/// let segments = parse("room:{id}").unwrap();
/// assert_eq!(segments, [Segment::Literal("room"), Segment::Parameter("id")]);
/// assert!(parse("room-{id}").is_err());
/// ```
pub fn parse(pattern: &str) -> Result<Vec<Segment<'_>>, String> {
    if pattern.is_empty() {
        return Err("a channel has a name; write one, like `room:{id}`".to_owned());
    }
    if pattern.len() > MAX_LEN {
        return Err(format!(
            "a channel's name has {MAX_LEN} bytes at most, and this is {} long; shorten it",
            pattern.len()
        ));
    }
    let mut segments: Vec<Segment<'_>> = Vec::new();
    for text in pattern.split(':') {
        let segment = segment(text)?;
        if segments.contains(&segment) && matches!(segment, Segment::Parameter(_)) {
            return Err(format!("`{text}` is there twice; give one of them another name"));
        }
        segments.push(segment);
    }
    if let Some(Segment::Literal(first)) = segments.first()
        && RESERVED.contains(first)
    {
        return Err(format!(
            "channels that begin with `{first}` are the framework's own; begin with another word"
        ));
    }
    Ok(segments)
}

fn segment(text: &str) -> Result<Segment<'_>, String> {
    if text.is_empty() {
        return Err(
            "a segment of a channel's name is empty; write something between the colons, like `room:{id}`"
                .to_owned(),
        );
    }
    if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))
        && !name.contains(['{', '}'])
    {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(format!(
                "`{text}` is no parameter; a name of letters, digits and `_` stands between the braces, like `{{id}}`"
            ));
        }
        return Ok(Segment::Parameter(name));
    }
    if text.contains(['{', '}']) {
        return Err(format!(
            "in `{text}` a parameter is a part of a segment, and it stands for a whole one; put a colon between, like \
             `room:{{id}}`"
        ));
    }
    let stranger = text
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !MARKS.contains(*c));
    match stranger {
        Some(stranger) => Err(format!(
            "a channel's name has no {stranger:?}; write letters and digits of ASCII and `{MARKS}`, with colons between \
             segments, like `room:{{id}}`"
        )),
        None => Ok(Segment::Literal(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_of_literals_and_parameters_between_colons() {
        use Segment::{Literal, Parameter};
        assert_eq!(parse("tasks"), Ok(vec![Literal("tasks")]));
        assert_eq!(
            parse("room:{room_id}:typing:{user2}"),
            Ok(vec![
                Literal("room"),
                Parameter("room_id"),
                Literal("typing"),
                Parameter("user2")
            ])
        );
        assert_eq!(
            parse("a.b_c~d@e=f+g-h:7"),
            Ok(vec![Literal("a.b_c~d@e=f+g-h"), Literal("7")])
        );
        // A word may come twice, and what only begins with a reserved one is free.
        assert!(parse("room:room").is_ok() && parse("clients").is_ok() && parse("room:rpc").is_ok());
    }

    #[test]
    fn what_no_channel_can_be_called_is_refused_with_what_to_write() {
        for (pattern, told) in [
            ("", "a channel has a name"),
            (":", "is empty"),
            ("room:", "is empty"),
            ("room::{id}", "is empty"),
            ("{}", "`{}` is no parameter"),
            ("room:{ä}", "`{ä}` is no parameter"),
            ("room:{room id}", "`{room id}` is no parameter"),
            ("room-{id}", "put a colon between"),
            ("room:{a}{b}", "put a colon between"),
            ("room:{id", "put a colon between"),
            ("room:{a}:{a}", "`{a}` is there twice"),
            ("ro om", "no ' '"),
            ("room/{id}", "put a colon between"),
            ("räume", "no 'ä'"),
            ("room:*", "no '*'"),
            ("a\u{0}b", "no '\\0'"),
            ("client", "`client` are the framework's own"),
            ("rpc:{id}", "`rpc` are the framework's own"),
        ] {
            let mistake = parse(pattern).expect_err(pattern);
            assert!(mistake.contains(told), "{pattern}: {mistake}");
        }
    }

    #[test]
    fn a_pattern_is_as_long_as_a_name_may_be() {
        assert!(parse(&"a".repeat(MAX_LEN)).is_ok());
        let mistake = parse(&"a".repeat(MAX_LEN + 1)).expect_err("too long");
        assert!(
            mistake.contains("255 bytes at most, and this is 256"),
            "{mistake}"
        );
    }
}
