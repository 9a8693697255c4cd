//! The built executable, as a person or a supervisor runs it.

mod access;
mod clients;
mod commands;
mod compose;
mod demo;
mod deployment;
mod faults;
mod import;
mod maintenance;
mod observability;
mod operators;
mod postgresql;
mod process;
mod readme;
mod restore;
mod security;
mod serve;
mod tools;
mod traces;
