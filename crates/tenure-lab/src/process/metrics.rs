//! Prometheus' text format, as far as a test needs it: samples with names and labels.

/// One reading of `/metrics`.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics {
    samples: Vec<Sample>,
}

#[derive(Debug, Clone, PartialEq)]
struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

impl Metrics {
    /// Reads the samples of a text exposition; comments, and lines it cannot read, are left out.
    pub fn parse(text: &str) -> Self {
        Self {
            samples: text.lines().filter_map(sample).collect(),
        }
    }

    /// The sum of the samples with this full name (counters end in `_total`) whose labels
    /// include all of `labels`. `None` when there is no such sample, so that a mistyped name
    /// cannot pass for a counter at zero.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let has = |sample: &Sample, (key, value): &(&str, &str)| {
            sample.labels.iter().any(|(k, v)| k == key && v == value)
        };
        self.samples
            .iter()
            .filter(|sample| sample.name == name)
            .filter(|sample| labels.iter().all(|label| has(sample, label)))
            .map(|sample| sample.value)
            .reduce(|sum, value| sum + value)
    }
}

fn sample(line: &str) -> Option<Sample> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end_of_name = line.find(|c: char| c == '{' || c.is_whitespace())?;
    let (name, rest) = line.split_at(end_of_name);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample {
        name: name.to_owned(),
        labels,
        value,
    })
}

/// The labels after `{`, and what follows the closing brace.
fn labels(mut rest: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (key, after) = rest.split_once("=\"")?;
        let (value, after) = quoted(after)?;
        labels.push((key.trim().to_owned(), value));
        rest = after;
    }
}

/// The text up to the closing quote, with `\\`, `\"` and `\n` undone, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return text.get(at + 1..).map(|rest| (value, rest)),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_found_by_name_and_labels_and_summed() {
        let metrics = Metrics::parse(
            "# HELP refreshes_total Refreshes.\n# TYPE refreshes_total counter\n\
             refreshes_total{verdict=\"advance\",client=\"a\"} 3\n\
             refreshes_total{verdict=\"advance\",client=\"b \\\"}{ \\\\\"} 4 1700000000\n\
             refreshes_total{verdict=\"again\"} 1\nup 1\n# EOF\n",
        );
        let value = |labels: &[(&str, &str)]| metrics.value("refreshes_total", labels);
        assert_eq!(value(&[]), Some(8.0));
        assert_eq!(value(&[("verdict", "advance")]), Some(7.0));
        assert_eq!(
            value(&[("client", "b \"}{ \\"), ("verdict", "advance")]),
            Some(4.0)
        );
        assert_eq!(value(&[("verdict", "reuse")]), None);
        assert_eq!(metrics.value("refreshes", &[]), None);
        assert_eq!(metrics.value("up", &[]), Some(1.0));
    }
}
