//! Writes indented `.proto` text.

/// Lines so far, and how deep the next one is.
pub(super) struct Text {
    out: String,
    depth: usize,
}

impl Text {
    pub(super) fn new() -> Self {
        Self {
            out: String::new(),
            depth: 0,
        }
    }

    pub(super) fn line(&mut self, line: &str) {
        for _ in 0..self.depth {
            self.out.push_str("  ");
        }
        self.out.push_str(line);
        self.out.push('\n');
    }

    pub(super) fn blank(&mut self) {
        self.out.push('\n');
    }

    pub(super) fn open(&mut self, head: &str) {
        self.line(&format!("{head} {{"));
        self.depth += 1;
    }

    pub(super) fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }

    /// A doc comment. A line that begins like a marker of what is gone is told apart from one by its case.
    pub(super) fn docs(&mut self, docs: &[String]) {
        for line in docs {
            let line = line.trim_end();
            if line.is_empty() {
                self.line("//");
            } else if let Some(rest) = line.trim_start().strip_prefix("removed:") {
                self.line(&format!("// Removed:{rest}"));
            } else {
                self.line(&format!("// {line}"));
            }
        }
    }

    /// A declaration with its options: one on its line, several on lines of their own.
    pub(super) fn with_options(&mut self, declaration: &str, options: &[String]) {
        match options {
            [] => self.line(&format!("{declaration};")),
            [one] => self.line(&format!("{declaration} [{one}];")),
            several => {
                self.line(&format!("{declaration} ["));
                self.depth += 1;
                for (at, option) in several.iter().enumerate() {
                    let comma = if at + 1 < several.len() { "," } else { "" };
                    self.line(&format!("{option}{comma}"));
                }
                self.depth -= 1;
                self.line("];");
            }
        }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }
}

/// A string literal.
pub(super) fn quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 || u32::from(c) == 0x7f => {
                out.push_str(&format!("\\{:03o}", u32::from(c)))
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
