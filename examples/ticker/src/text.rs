//! Prices and orders as people write them.

use crate::contracts::{Fill, Order, Quote, Summary};
use crate::failure::{Exit, Failure};

/// `ACME 100.35`
pub(crate) fn quote(quote: &Quote) -> String {
    format!("{} {}", quote.symbol, cents(quote.cents))
}

/// `bought 10 ACME at 100.35, holding 10`
pub(crate) fn fill(fill: &Fill) -> String {
    let done = if fill.shares < 0 { "sold" } else { "bought" };
    format!(
        "{done} {} {} at {}, holding {}",
        fill.shares.unsigned_abs(),
        fill.symbol,
        cents(fill.cents),
        fill.holding
    )
}

/// `8 prices, from 99.95 to 100.80`
pub(crate) fn summary(summary: &Summary) -> String {
    match summary.count {
        0 => "no prices".to_owned(),
        count => format!(
            "{count} prices, from {} to {}",
            cents(summary.lowest_cents),
            cents(summary.highest_cents)
        ),
    }
}

fn cents(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// Reads `buy 10 ACME` or `sell 4 ACME`.
pub(crate) fn read_order(line: &str) -> Result<Order, Failure> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let order = match words.as_slice() {
        [deed @ ("buy" | "sell"), shares, symbol] => shares.parse::<u32>().ok().map(|shares| Order {
            symbol: (*symbol).to_owned(),
            shares: if *deed == "buy" { 1 } else { -1 } * i64::from(shares),
        }),
        _ => None,
    };
    order.ok_or_else(|| no_such_line(line, "buy 10 ACME"))
}

/// Reads `ACME 100.35`, which is the price after `tick` others.
pub(crate) fn read_quote(line: &str, tick: u64) -> Result<Quote, Failure> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let quote = match words.as_slice() {
        [symbol, price] => read_cents(price).map(|cents| Quote {
            symbol: (*symbol).to_owned(),
            tick,
            cents,
        }),
        _ => None,
    };
    quote.ok_or_else(|| no_such_line(line, "ACME 100.35"))
}

fn read_cents(price: &str) -> Option<i64> {
    let (whole, cents) = price.split_once('.')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if cents.len() != 2 || !digits(whole) || !digits(cents) {
        return None;
    }
    format!("{whole}{cents}").parse().ok()
}

fn no_such_line(line: &str, example: &str) -> Failure {
    Failure::new(Exit::Refused, format!("{line:?} is no line like {example:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_prices_are_read_as_they_are_written() {
        let order = read_order("sell 4 ACME").expect("an order");
        assert_eq!((order.symbol.as_str(), order.shares), ("ACME", -4));
        let read = read_quote("ACME 100.05", 3).expect("a price");
        assert_eq!(
            (quote(&read).as_str(), read.cents, read.tick),
            ("ACME 100.05", 10_005, 3)
        );
    }

    #[test]
    fn a_line_that_is_none_is_told_with_an_example() {
        for line in ["", "hold 4 ACME", "buy some ACME", "buy 99999999999 ACME"] {
            let failure = read_order(line).expect_err("no order");
            assert!(
                failure.to_string().ends_with("is no line like \"buy 10 ACME\""),
                "{failure}"
            );
        }
        for line in ["ACME", "ACME 100", "ACME 1.5", "ACME -1.00", "ACME 1.+5"] {
            assert!(read_quote(line, 0).is_err(), "{line}");
        }
    }
}
