use std::cell::Cell;

use hostile::{check, tampered};
use proptest::prelude::*;

use super::*;
use crate::import::programme::testing::{FILES, problems_of};

/// How often the files of a programme are tampered with.
const EXECUTIONS: u32 = 300;

/// Counts what is read of it.
struct Counted<'count, R>(R, &'count Cell<u64>);

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1.set(self.1.get() + count as u64);
        Ok(count)
    }
}

#[test]
fn a_file_without_end_is_refused_at_its_limit() {
    let read = Cell::new(0);
    let refused = read_whole(Counted(io::repeat(b'x'), &read)).expect_err("it has no end");
    assert!(refused.to_string().contains("64 MiB"), "{refused}");
    assert_eq!(read.get(), MAXIMUM_FILE_BYTES + 1);
}

#[test]
fn a_file_that_was_tampered_with_is_read_or_its_wrong_lines_are_named() {
    let file = proptest::sample::select(&FILES[..]);
    let tampered = file.prop_flat_map(|(file, content)| (Just(file), tampered(vec![content.as_bytes().to_vec()])));
    check(EXECUTIONS, tampered, |(file, content)| {
        let lines = 1 + content.iter().filter(|byte| **byte == b'\n').count() as u64;
        for problem in problems_of(file, content) {
            assert!((1..=lines).contains(&problem.line), "line {} of {lines}", problem.line);
            assert!(!problem.text.is_empty() && !problem.text.chars().any(char::is_control), "{:?}", problem.text);
        }
    });
}

#[test]
fn what_is_hostile_in_a_file_is_named_by_its_line_and_column() {
    let clients = |cell: &str| format!("hub_id,display_name,country\n2001,One,IT\n2002,{cell},IT\n").into_bytes();
    let long = "x".repeat(1_048_576);
    for hostile in [long.as_str(), "a\0b", "a\u{1b}[31mb", "\"two\nlines\"", "\u{9b}"] {
        let problems = problems_of("clients.csv", clients(hostile));
        assert_eq!((problems.len(), problems[0].line), (1, 3), "{problems:?}");
        assert!(problems[0].text.starts_with("display_name: 1 to 200 characters"), "{problems:?}");
    }
    let million = format!("hub_id{}\n", ",x".repeat(1_000_000));
    let repeated = format!("hub_id{}\n", ",hub_id".repeat(1_000_000));
    for header in [million, repeated] {
        let problems = problems_of("clients.csv", header.into_bytes());
        assert_eq!((problems.len(), problems[0].line), (1, 1));
        assert_eq!(problems[0].text, "has 1000001 columns; it may have 1000");
    }
    let invalid = problems_of("clients.csv", b"hub_id,display_name,country\n2001,\xff\xfe,IT\n".to_vec());
    assert_eq!((invalid.len(), invalid[0].line), (1, 2));
}
