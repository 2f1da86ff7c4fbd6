//! The grammar of `tracestate`: what vendors pass along with a trace, each under a key of its own.
//!
//! Trace Context, section 3.3. Nothing in it is read here: a list that is well-formed is carried on as it came, one
//! that is not is dropped.

/// How many members a list may have.
const MOST_MEMBERS: usize = 32;

/// The list that the values of one or several `tracestate` entries give; `None` where it is malformed or empty.
pub(super) fn parse<'a>(values: impl Iterator<Item = &'a str>) -> Option<Box<str>> {
    let mut list = String::new();
    let mut members = 0;
    for value in values {
        for member in value.split(',') {
            let member = member.trim_matches([' ', '\t']);
            // Empty members are allowed, and mean nothing.
            if member.is_empty() {
                continue;
            }
            members += 1;
            if members > MOST_MEMBERS || !is_member(member) {
                return None;
            }
            if !list.is_empty() {
                list.push(',');
            }
            list.push_str(member);
        }
    }
    (!list.is_empty()).then(|| list.into())
}

fn is_member(member: &str) -> bool {
    member
        .split_once('=')
        .is_some_and(|(key, value)| is_key(key) && is_value(value))
}

/// `key = ( lcalpha / DIGIT ) 0*255 ( keychar )`, or `tenant "@" system` with at most 241 and 14 characters.
fn is_key(key: &str) -> bool {
    match key.split_once('@') {
        None => is_key_part(key, 256),
        Some((tenant, system)) => {
            is_key_part(tenant, 241)
                && is_key_part(system, 14)
                && system.starts_with(|first: char| first.is_ascii_lowercase())
        }
    }
}

fn is_key_part(part: &str, longest: usize) -> bool {
    (1..=longest).contains(&part.len())
        && part.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && part
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/'))
}

/// At most 256 printable ASCII characters without `,` and `=`, of which the last is no space.
fn is_value(value: &str) -> bool {
    (1..=256).contains(&value.len())
        && value
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b',' | b'='))
        && !value.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(values: &[&str]) -> Option<String> {
        parse(values.iter().copied()).map(Into::into)
    }

    #[test]
    fn lists_are_joined_in_order_and_lose_their_empty_members_and_white_space() {
        assert_eq!(list(&["foo=1"]).as_deref(), Some("foo=1"));
        assert_eq!(
            list(&["foo=1, bar=2 \t", "", ",baz=3"]).as_deref(),
            Some("foo=1,bar=2,baz=3")
        );
        assert_eq!(
            list(&["t61rcwkgmze@az=a b/c"]).as_deref(),
            Some("t61rcwkgmze@az=a b/c")
        );
        assert_eq!(list(&[" , ,"]), None);
        assert_eq!(list(&[]), None);
    }

    #[test]
    fn a_malformed_list_is_dropped_as_a_whole() {
        let long_key = format!("{}=1", "k".repeat(257));
        let long_tenant = format!("{}@v=1", "t".repeat(242));
        let long_system = format!("t@{}=1", "v".repeat(15));
        let long_value = format!("k={}", "v".repeat(257));
        let malformed = [
            "foo",
            "foo=",
            "=1",
            "Foo=1",
            "foo =1",
            "f@o@o=1",
            "@v=1",
            "t@=1",
            "t@1=1",
            "foo=a=b",
            "foo=\u{e9}",
            "foo=\u{1}",
            &long_key,
            &long_tenant,
            &long_system,
            &long_value,
        ];
        for member in malformed {
            assert_eq!(list(&["ok=1", member]), None, "{member}");
        }
    }

    #[test]
    fn the_longest_members_and_lists_are_taken() {
        let key = format!("{}=1", "k".repeat(256));
        let tenant = format!("{}@{}=1", "t".repeat(241), "v".repeat(14));
        let value = format!("k={}", "v".repeat(256));
        for member in [key, tenant, value] {
            assert_eq!(list(&[&member]), Some(member));
        }
        let members: Vec<_> = (0..33).map(|at| format!("k{at}=v")).collect();
        assert!(list(&[&members[..32].join(",")]).is_some());
        assert_eq!(list(&[&members.join(",")]), None);
    }
}
