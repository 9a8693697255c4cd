//! The one binary: it runs the services and asks them.

pub mod running;
