//! Where the prices come from: a market that has the same day again and again, so that one run is like the next.

use rpc_runtime::Status;

use crate::contracts::{Listing, Quote};

/// What is listed, and the price at which its day begins.
const LISTED: [(&str, i64); 3] = [("ACME", 10_000), ("GLOBEX", 25_050), ("INITECH", 4_200)];

/// How far a price goes from one tick to the next, in cents; the day begins again after the last.
const STEPS: [i64; 8] = [35, -20, 55, 10, -75, 40, -5, -40];

/// The price of `symbol` after so many changes.
///
/// # Errors
///
/// `NOT_FOUND`, with the [`Listing`] as a detail, when the symbol is not listed.
pub(crate) fn quote(symbol: &str, tick: u64) -> Result<Quote, Status> {
    let Some((_, opening)) = LISTED.iter().find(|(listed, _)| *listed == symbol) else {
        let symbols = LISTED.map(|(listed, _)| listed.to_owned()).to_vec();
        return Err(Status::not_found(format!("{symbol} is not listed")).with_detail(&Listing { symbols }));
    };
    let since_opening: i64 = STEPS.iter().take((tick % STEPS.len() as u64) as usize).sum();
    Ok(Quote {
        symbol: symbol.to_owned(),
        tick,
        cents: opening + since_opening,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_where_it_began() {
        assert_eq!(STEPS.iter().sum::<i64>(), 0);
        let of = |tick| quote("ACME", tick).map(|quote| quote.cents).ok();
        assert_eq!([of(0), of(1), of(8)], [Some(10_000), Some(10_035), Some(10_000)]);
    }

    #[test]
    fn what_is_not_listed_is_answered_with_what_is() {
        let status = quote("ACNE", 0).expect_err("a misspelling");
        let listing: Option<Listing> = status.details().next();
        assert_eq!(listing.expect("a detail").symbols, ["ACME", "GLOBEX", "INITECH"]);
    }
}
