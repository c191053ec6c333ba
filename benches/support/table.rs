//! What was measured, side by side.

/// Everything that was measured in one run.
#[derive(Default)]
pub struct Table {
    lines: Vec<Line>,
    notes: Vec<String>,
}

/// Who wrote the events.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    Bridge,
    RowByRow,
    MultiRow,
}

struct Line {
    database: &'static str,
    writer: Writer,
    clients: usize,
    /// Events per second of each turn.
    rates: Vec<f64>,
}

impl Writer {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::RowByRow => "raw_row_by_row",
            Self::MultiRow => "raw_multi_row",
        }
    }
}

impl Table {
    /// Notes under which circumstances a database was measured.
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Adds the events per second of one turn.
    pub fn add(&mut self, database: &'static str, writer: Writer, clients: usize, rate: f64) {
        match self.position(database, writer, clients) {
            Some(place) => self.lines[place].rates.push(rate),
            None => self.lines.push(Line { database, writer, clients, rates: vec![rate] }),
        }
    }

    /// Prints medians, the spread of the turns, and how close the bridge comes to the raw writes.
    pub fn print(&self) {
        println!("\nAccepted events per second: the median of the turns, the slowest and the fastest of them");
        for note in &self.notes {
            println!("  {note}");
        }
        println!(
            "\n{:<10} {:<16} {:>7} {:>9} {:>9} {:>9}   bridge is of raw: {:>10} {:>10}",
            "database", "writer", "clients", "median", "slowest", "fastest", "row by row", "multi-row"
        );
        for line in &self.lines {
            let (database, writer, clients) = (line.database, line.writer.as_str(), line.clients);
            let [slowest, median, fastest] = summary(line.rates.clone());
            print!("{database:<10} {writer:<16} {clients:>7} {median:>9.0} {slowest:>9.0} {fastest:>9.0}");
            if line.writer == Writer::Bridge {
                print!("{:>33} {:>10}", self.share(line, Writer::RowByRow), self.share(line, Writer::MultiRow));
            }
            println!();
        }
    }

    /// Turn by turn, what part the bridge does of what the raw writer does with as many clients, or with one where no
    /// more can write; the median of all turns.
    fn share(&self, bridge: &Line, raw: Writer) -> String {
        let place =
            self.position(bridge.database, raw, bridge.clients).or_else(|| self.position(bridge.database, raw, 1));
        let Some(place) = place else { return String::new() };
        let turns = bridge.rates.iter().zip(&self.lines[place].rates);
        let [_, median, _] = summary(turns.map(|(bridge, raw)| bridge / raw).collect());
        format!("{:.0} %", 100.0 * median)
    }

    fn position(&self, database: &str, writer: Writer, clients: usize) -> Option<usize> {
        let is_it = |line: &Line| line.database == database && line.writer == writer && line.clients == clients;
        self.lines.iter().position(is_it)
    }
}

/// The least, the median and the greatest.
fn summary(mut numbers: Vec<f64>) -> [f64; 3] {
    numbers.sort_by(f64::total_cmp);
    let (middle, last) = (numbers.len() / 2, numbers.len() - 1);
    let median = f64::midpoint(numbers[middle], numbers[last - middle]);
    [numbers[0], median, numbers[last]]
}
