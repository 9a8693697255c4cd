//! End to end: real servers, real databases, through gRPC.

mod access;
mod cases;
mod shape;
