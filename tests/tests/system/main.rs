//! End to end: real servers, real databases, through gRPC.

mod access;
mod activity;
mod arrival;
mod cases;
mod clock_jumps;
mod consequences;
mod credit;
mod distribution;
mod faults;
mod feed_order;
mod hostile;
mod maintenance;
mod order;
mod overload;
mod random_histories;
mod replicas;
mod security;
mod shape;
mod tenancy;
