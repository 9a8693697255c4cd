//! Finds the records of a log in any of its shapes, one at a time: memory holds one record, of at most 1 MiB, whatever
//! the file's size.
//!
//! Shapes: pages of the API, arrays of records, or records over several lines, one after the other; or one record a line,
//! where a line that is no JSON does not spoil the next.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, Read};

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer, Map, Value};

/// The longest line, the longest record, and the most of a file that is looked at to tell its shape.
const MAXIMUM_RECORD_BYTES: u64 = 1_048_576;

/// The fields that only a page begins with.
const PAGE_FIELDS: [&str; 3] = ["results", "paging", "total"];

/// A record, or why there is none.
pub(super) struct Entry {
    /// Where it begins, from 1.
    pub line: u64,
    pub value: Result<Value, String>,
}

/// Gives every record of a log to `take`, in order, until it answers false; answers whether it never did.
pub(super) fn read_entries(reader: impl Read, mut take: impl FnMut(Entry) -> bool) -> bool {
    let (shape, reader) = match shape_of(reader) {
        Ok(found) => found,
        Err(error) => return take(Entry { line: 1, value: Err(error.to_string()) }),
    };
    match shape {
        Shape::Documents => read_documents(reader, &mut take),
        Shape::Lines => read_lines(BufReader::new(reader), &mut take),
    }
}

/// How a log is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// JSON values one after the other, with line breaks anywhere.
    Documents,
    /// A record a line.
    Lines,
}

/// The shape by the first token or two, and the reader with what was looked at before it again.
fn shape_of(mut reader: impl Read) -> io::Result<(Shape, impl Read)> {
    let mut seen = Vec::new();
    let mut chunk = [0; 4_096];
    loop {
        let count = reader.read(&mut chunk)?;
        seen.extend_from_slice(&chunk[..count]);
        let is_end = count == 0 || seen.len() as u64 > MAXIMUM_RECORD_BYTES;
        if let Some(shape) = shape_by_beginning(&seen).or(is_end.then_some(Shape::Lines)) {
            let mark = usize::from(seen.starts_with(b"\xef\xbb\xbf")) * 3;
            let mut seen = Cursor::new(seen);
            seen.set_position(mark as u64);
            return Ok((shape, seen.chain(reader)));
        }
    }
}

/// Nothing while the beginning is too short to tell.
fn shape_by_beginning(seen: &[u8]) -> Option<Shape> {
    let text = seen.strip_prefix(b"\xef\xbb\xbf").unwrap_or(seen).trim_ascii_start();
    match text.first()? {
        b'[' => Some(Shape::Documents),
        b'{' => {
            let inside = text[1..].trim_ascii_start();
            let space = &text[1..text.len() - inside.len()];
            if space.contains(&b'\n') {
                // Written over several lines, as `jq` does.
                return Some(Shape::Documents);
            }
            let Some(name) = inside.strip_prefix(b"\"") else {
                return (!inside.is_empty()).then_some(Shape::Lines);
            };
            let end = name.iter().position(|byte| *byte == b'"')?;
            let is_page = PAGE_FIELDS.iter().any(|field| field.as_bytes() == &name[..end]);
            Some(if is_page { Shape::Documents } else { Shape::Lines })
        }
        _ => Some(Shape::Lines),
    }
}

fn read_lines(mut reader: impl BufRead, take: &mut dyn FnMut(Entry) -> bool) -> bool {
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        number += 1;
        let value = match reader.by_ref().take(MAXIMUM_RECORD_BYTES).read_until(b'\n', &mut line) {
            Ok(0) => return true,
            Ok(_) if line.trim_ascii().is_empty() => continue,
            Ok(count) if count as u64 == MAXIMUM_RECORD_BYTES && !line.ends_with(b"\n") => {
                let skipped = skip_line(&mut reader);
                Err(skipped.map_or_else(|error| error.to_string(), |()| "the line is longer than 1 MiB".to_owned()))
            }
            Ok(_) => serde_json::from_slice(&line).map_err(|error| without_line(&error)),
            Err(error) => {
                return take(Entry { line: number, value: Err(format!("{error}; the rest was not read")) });
            }
        };
        if !take(Entry { line: number, value }) {
            return false;
        }
    }
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let (consumed, is_last) = end.map_or((buffer.len(), buffer.is_empty()), |end| (end + 1, true));
        reader.consume(consumed);
        if is_last {
            return Ok(());
        }
    }
}

/// The error of a single line, whose number the parser does not know.
fn without_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&position).map_or(text.clone(), |problem| format!("{problem} at column {}", error.column()))
}

fn read_documents(reader: impl Read, take: &mut dyn FnMut(Entry) -> bool) -> bool {
    let position = Position::default();
    let mut is_wanted = true;
    let mut deserializer = Deserializer::from_reader(CountingReader { reader, position: &position });
    while deserializer.end().is_err() {
        position.begin_record();
        let document = Document { position: &position, take: &mut *take, is_wanted: &mut is_wanted };
        if let Err(error) = document.deserialize(&mut deserializer) {
            // A stream that is not JSON at one place cannot be trusted to be records after it.
            let value = Err(format!("{}; the rest was not read", without_line(&error)));
            return is_wanted && take(Entry { line: position.line(), value });
        }
    }
    true
}

/// How far the parser is.
#[derive(Debug, Default)]
struct Position {
    line_breaks: Cell<u64>,
    /// Bytes since a record began, or could have.
    record_bytes: Cell<u64>,
}

impl Position {
    /// From 1.
    fn line(&self) -> u64 {
        self.line_breaks.get() + 1
    }

    fn begin_record(&self) {
        self.record_bytes.set(0);
    }
}

/// Counts what the parser has consumed, because it takes a byte at a time; a record may not be longer than memory allows.
struct CountingReader<'count, R> {
    reader: R,
    position: &'count Position,
}

impl<R: Read> Read for CountingReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Position { line_breaks, record_bytes } = self.position;
        if record_bytes.get() >= MAXIMUM_RECORD_BYTES {
            return Err(io::Error::other("the record is longer than 1 MiB"));
        }
        let count = self.reader.read(buffer)?;
        let breaks = buffer[..count].iter().filter(|byte| **byte == b'\n').count();
        line_breaks.set(line_breaks.get() + breaks as u64);
        record_bytes.set(record_bytes.get() + count as u64);
        Ok(count)
    }
}

/// A page, an array of records, or a record.
struct Document<'read> {
    position: &'read Position,
    take: &'read mut dyn FnMut(Entry) -> bool,
    is_wanted: &'read mut bool,
}

impl Document<'_> {
    fn give<E: serde::de::Error>(&mut self, line: u64, value: Value) -> Result<(), E> {
        *self.is_wanted = (self.take)(Entry { line, value: Ok(value) });
        if *self.is_wanted { Ok(()) } else { Err(E::custom("reading was stopped")) }
    }
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a page of an API, an array of records, or a record")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut records: A) -> Result<(), A::Error> {
        while let Some((line, value)) = records.next_element_seed(RecordValue(self.position))? {
            self.give(line, value)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        let line = self.position.line();
        let mut record = Map::new();
        let mut is_page = false;
        while let Some(name) = fields.next_key::<String>()? {
            match name.as_str() {
                "results" => {
                    is_page = true;
                    let (take, is_wanted) = (&mut *self.take, &mut *self.is_wanted);
                    let results = Document { position: self.position, take, is_wanted };
                    fields.next_value_seed(Results(results))?;
                }
                _ if PAGE_FIELDS.contains(&name.as_str()) => {
                    is_page = true;
                    fields.next_value::<IgnoredAny>()?;
                }
                _ => {
                    record.insert(name, fields.next_value()?);
                }
            }
        }
        if is_page { Ok(()) } else { self.give(line, Value::Object(record)) }
    }
}

/// The records of a page; a page without any may say null.
struct Results<'read>(Document<'read>);

impl<'de> DeserializeSeed<'de> for Results<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Results<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of records in results")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, records: A) -> Result<(), A::Error> {
        self.0.visit_seq(records)
    }
}

/// Any value, with the line on which it begins.
struct RecordValue<'read>(&'read Position);

impl<'de> DeserializeSeed<'de> for RecordValue<'_> {
    type Value = (u64, Value);

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(u64, Value), D::Error> {
        self.0.begin_record();
        let line = self.0.line();
        Ok((line, serde::Deserialize::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The line and id of each record, or the line and the problem.
    fn entries(text: &str) -> Vec<(u64, Result<String, String>)> {
        let mut found = Vec::new();
        let is_wanted = read_entries(text.as_bytes(), |Entry { line, value }| {
            found.push((line, value.map(|value| value["id"].as_str().unwrap_or("none").to_owned())));
            true
        });
        assert!(is_wanted);
        found
    }

    fn ids(text: &str) -> Vec<String> {
        entries(text).into_iter().map(|(_, id)| id.expect("a record")).collect()
    }

    #[test]
    fn one_page_gives_its_records_with_their_lines() {
        let text = "{\"results\": [\n  {\"id\": \"a\"},\n  {\"id\":\n \"b\"},\n  {\"id\": \"c\"}\n], \"paging\": {\"next\": {}}}\n";
        let found = entries(text);
        let expected = [(2, "a"), (3, "b"), (5, "c")].map(|(line, id)| (line, Ok(id.to_owned())));
        assert_eq!(found, expected);
    }

    #[test]
    fn pages_may_follow_each_other_in_one_file() {
        let page = |id: &str| json!({"paging": {"next": {"after": "x"}}, "results": [{"id": id}]}).to_string();
        assert_eq!(ids(&format!("{}{}\n\n{}", page("a"), page("b"), page("c"))), ["a", "b", "c"]);
        assert_eq!(ids("{\"results\": []}{\"results\": null}"), [""; 0]);
    }

    #[test]
    fn an_array_of_records_is_read() {
        assert_eq!(ids("\u{feff} [{\"id\":\"a\"},\n{\"id\":\"b\"}]"), ["a", "b"]);
    }

    #[test]
    fn records_over_several_lines_may_follow_each_other() {
        let found = entries("{\n  \"id\": \"a\"\n}\n{\n  \"id\": \"b\"\n}\n");
        assert_eq!(found, [(1, Ok("a".to_owned())), (4, Ok("b".to_owned()))]);
        assert_eq!(ids("{\n  \"version\": 3,\n  \"results\": [{\"id\": \"a\"}]\n}"), ["a"]);
    }

    #[test]
    fn a_record_a_line_is_read_and_a_bad_line_does_not_spoil_the_next() {
        let found = entries("{\"id\":\"a\"}\n\noops\n{\"id\":\n{\"id\":\"b\"}\r\n{\"id\":\"c\"}");
        let lines: Vec<_> = found.iter().map(|(line, id)| (*line, id.is_ok())).collect();
        assert_eq!(lines, [(1, true), (3, false), (4, false), (5, true), (6, true)]);
        assert_eq!(found[1].1, Err("expected value at column 1".to_owned()));
    }

    #[test]
    fn a_page_that_breaks_off_gives_what_came_before_and_says_where() {
        let found = entries("{\"results\": [\n{\"id\":\"a\"},\n{\"id\": oops},\n{\"id\":\"b\"}]}");
        assert_eq!(found[0], (2, Ok("a".to_owned())));
        let (line, problem) = &found[1];
        assert_eq!((*line, found.len()), (3, 2));
        assert!(problem.as_ref().is_err_and(|problem| problem.ends_with("the rest was not read")), "{problem:?}");
        assert_eq!(entries("{\"results\": [{\"id\":\"a\"}").len(), 2);
    }

    #[test]
    fn garbage_is_an_error_of_its_line() {
        for (text, expected) in [("\u{0}\u{1}", 1), ("[[1]", 2), ("<html>\n</html>", 2), ("{\"results\": 7}", 1)] {
            let found = entries(text);
            assert_eq!(found.len(), expected, "{text} {found:?}");
            assert!(found.last().is_some_and(|(_, id)| id.is_err()), "{text}");
        }
        assert!(entries("").is_empty());
        assert!(entries(" \n\n ").is_empty());
    }

    #[test]
    fn a_line_without_end_is_refused_and_the_next_is_read() {
        let text = format!("{{\"id\":\"a\"}}\n{}\n{{\"id\":\"b\"}}", "x".repeat(3 * 1_048_576));
        let found = entries(&text);
        assert_eq!(
            found.iter().map(|(line, id)| (*line, id.is_ok())).collect::<Vec<_>>(),
            [(1, true), (2, false), (3, true)]
        );
    }

    #[test]
    fn a_huge_page_is_read_record_by_record() {
        /// A page of so many records that is never in memory as a whole.
        struct Page(u64);
        impl Read for Page {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let Some(rest) = self.0.checked_sub(1) else { return Ok(0) };
                self.0 = rest;
                let record = if rest == 0 { "{}]}" } else { "{\"id\":\"a\"},\n" };
                buffer[..record.len()].copy_from_slice(record.as_bytes());
                Ok(record.len())
            }
        }
        let mut lines = Vec::new();
        let reader = "{\"results\":[".as_bytes().chain(BufReader::with_capacity(64, Page(100_000)));
        assert!(read_entries(reader, |entry| {
            lines.push(entry.line);
            true
        }));
        assert_eq!((lines.len(), lines[99_999]), (100_000, 100_000));
    }

    #[test]
    fn a_record_without_end_is_never_in_memory_as_a_whole() {
        for (begin, line) in
            [("{\"results\":[{\"id\":\"a\"},\n{\"id\":\"", 2), ("[\n{\"id\":\"a\"},[\"", 2), ("{\n\"id\":\"", 2)]
        {
            let reader = begin.as_bytes().chain(io::repeat(b'x'));
            let mut last = None;
            assert!(read_entries(reader, |entry| {
                last = Some(entry);
                true
            }));
            let Some(Entry { line: found, value: Err(problem) }) = last else { panic!("{begin} is read") };
            assert_eq!(found, line);
            assert!(problem.starts_with("the record is longer than 1 MiB"), "{problem}");
        }
    }

    #[test]
    fn a_page_may_be_longer_than_a_record_may() {
        let record = json!({"id": "a", "text": "x".repeat(600_000)});
        let page = json!({"paging": {}, "results": [record, record, record]}).to_string();
        assert_eq!(ids(&format!("{page}{page}")), ["a"; 6]);
    }

    #[test]
    fn reading_ends_when_nobody_wants_more() {
        for text in ["[{},{},{}]", "{}\n{}\n{}", "{\"results\":[{},{}]}"] {
            let mut count = 0;
            let is_wanted = read_entries(text.as_bytes(), |_| {
                count += 1;
                false
            });
            assert_eq!((is_wanted, count), (false, 1), "{text}");
        }
    }

    #[test]
    fn a_log_that_was_tampered_with_is_read_to_its_end_with_every_problem_at_its_line() {
        let record = r#"{"id":"a","occurredAt":1754000000000,"actingUser":{"userEmail":"a@agency.example"}}"#;
        let valid = [
            format!("{record}\n{record}\n\n{record}\n"),
            format!("{{\"results\":[{record},\n{record}],\"paging\":{{\"next\":{{\"after\":\"x\"}}}}}}"),
            format!("[{record},\n{record}]"),
            format!("{{\n  \"id\": \"a\"\n}}\n{record}"),
        ];
        hostile::check(1_000, hostile::tampered(valid.map(String::into_bytes).to_vec()), |log| {
            let lines = 1 + log.iter().filter(|byte| **byte == b'\n').count() as u64;
            let mut last = 1;
            let is_wanted = read_entries(log.as_slice(), |Entry { line, value }| {
                assert!((last..=lines).contains(&line), "line {line} of {lines}, after {last}");
                assert!(value.is_ok() || value.is_err_and(|problem| !problem.is_empty()), "a problem is told");
                last = line;
                true
            });
            assert!(is_wanted);
        });
    }

    #[test]
    fn what_nests_without_end_is_refused() {
        for begin in ["[", "{\"a\":", "{\"results\":[", "[{\"a\":[", "{\n\"a\":["] {
            let found = entries(&begin.repeat(100_000));
            assert!(found.last().is_some_and(|(_, id)| id.is_err()), "{begin}");
        }
    }

    #[test]
    fn a_line_of_a_generator_is_read_past_and_never_kept() {
        let endless = io::repeat(b'x').take(64 * MAXIMUM_RECORD_BYTES).chain("\n{\"id\":\"b\"}".as_bytes());
        let mut found = Vec::new();
        assert!(read_entries(endless, |Entry { line, value }| {
            found.push((line, value.map(|value| value["id"].to_string())));
            true
        }));
        let too_long = "the line is longer than 1 MiB".to_owned();
        assert_eq!(found, [(1, Err(too_long)), (2, Ok("\"b\"".to_owned()))]);
    }
}
