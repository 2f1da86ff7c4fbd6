//! What interleaved rounds have measured under one placement, and the tables that are made of it.

use crate::load::Measured;
use rpc_bench_measure::{Placement, Summary};

/// A row of a table: whose server and client were measured.
pub(crate) trait Row: Copy + PartialEq {
    /// The name in the tables.
    fn title(self) -> &'static str;
}

/// A column of a table: the load.
pub(crate) trait Column: Copy + PartialEq {
    /// The name in the tables.
    fn name(self) -> &'static str;
}

/// Every measurement under one placement.
pub(crate) struct Results<R, C> {
    /// Where the two processes were.
    pub(crate) placement: Placement,
    rows: Vec<R>,
    columns: Vec<C>,
    measured: Vec<Measurement<R, C>>,
}

struct Measurement<R, C> {
    round: usize,
    row: R,
    column: C,
    figures: Measured,
}

impl<R: Row, C: Column> Results<R, C> {
    /// Nothing is measured yet.
    pub(crate) fn new(placement: Placement, rows: Vec<R>, columns: Vec<C>) -> Self {
        Self {
            placement,
            rows,
            columns,
            measured: Vec::new(),
        }
    }

    /// One round: the rows one after the other at each load, so that what a ratio compares is seconds apart.
    pub(crate) fn measure(
        &mut self,
        round: usize,
        mut one: impl FnMut(R, C, Placement) -> Result<Measured, String>,
    ) -> Result<(), String> {
        for &column in &self.columns {
            for &row in &self.rows {
                let figures = one(row, column, self.placement)
                    .map_err(|error| format!("{} at {}: {error}", row.title(), column.name()))?;
                self.measured.push(Measurement {
                    round,
                    row,
                    column,
                    figures,
                });
            }
        }
        Ok(())
    }

    fn of(&self, row: R, column: C) -> impl Iterator<Item = &Measurement<R, C>> {
        self.measured
            .iter()
            .filter(move |measured| measured.row == row && measured.column == column)
    }

    /// Median and ends of a figure over all rounds.
    pub(crate) fn summary(&self, row: R, column: C, figure: impl Fn(&Measured) -> f64) -> Option<Summary> {
        Summary::of(self.of(row, column).map(|measured| figure(&measured.figures)))
    }

    /// Prints the median and both ends of a figure, for each row at each of the columns that `wanted` chooses.
    pub(crate) fn print_table(
        &self,
        title: &str,
        digits: usize,
        wanted: impl Fn(C) -> bool,
        figure: impl Fn(&Measured) -> f64,
    ) {
        let columns: Vec<C> = self
            .columns
            .iter()
            .copied()
            .filter(|column| wanted(*column))
            .collect();
        if columns.is_empty() {
            return;
        }
        println!("\n## {title}: median (least to most)\n");
        self.print_head(&columns);
        for &row in &self.rows {
            let cells = columns.iter().map(|&column| {
                self.summary(row, column, &figure)
                    .map_or_else(String::new, |summary| {
                        format!(
                            "{:.digits$} ({:.digits$} to {:.digits$})",
                            summary.median, summary.least, summary.most
                        )
                    })
            });
            println!("| {} | {} |", row.title(), cells.collect::<Vec<_>>().join(" | "));
        }
    }

    /// Prints the ratio of a figure to that of the row `to`, for each other row at each column.
    pub(crate) fn print_ratios(
        &self,
        title: &str,
        to: R,
        wanted: impl Fn(C) -> bool,
        figure: impl Fn(&Measured) -> f64,
    ) {
        let columns: Vec<C> = self
            .columns
            .iter()
            .copied()
            .filter(|column| wanted(*column))
            .collect();
        if columns.is_empty() || !self.rows.contains(&to) || self.rows.len() < 2 {
            return;
        }
        println!("\n## {title} (median of the rounds' ratios)\n");
        self.print_head(&columns);
        for &row in self.rows.iter().filter(|row| **row != to) {
            let cells = columns.iter().map(|&column| {
                self.ratio(row, to, column, &figure)
                    .map_or_else(String::new, |ratio| format!("{ratio:.3}"))
            });
            println!("| {} | {} |", row.title(), cells.collect::<Vec<_>>().join(" | "));
        }
    }

    fn print_head(&self, columns: &[C]) {
        let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
        println!(
            "| {} | {} |\n|---|{}",
            self.placement.name(),
            names.join(" | "),
            "---:|".repeat(names.len())
        );
    }

    /// The median of the rounds' differences.
    pub(crate) fn difference(
        &self,
        row: R,
        to: R,
        column: C,
        figure: impl Fn(&Measured) -> f64,
    ) -> Option<Summary> {
        let differences = self.of(row, column).filter_map(|measured| {
            let other = self.of(to, column).find(|other| other.round == measured.round)?;
            Some(figure(&measured.figures) - figure(&other.figures))
        });
        Summary::of(differences)
    }

    /// The median of the rounds' ratios.
    pub(crate) fn ratio(&self, row: R, to: R, column: C, figure: impl Fn(&Measured) -> f64) -> Option<f64> {
        let ratios = self.of(row, column).filter_map(|measured| {
            let other = self.of(to, column).find(|other| other.round == measured.round)?;
            Some(figure(&measured.figures) / figure(&other.figures))
        });
        Summary::of(ratios).map(|summary| summary.median)
    }
}
