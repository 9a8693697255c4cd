//! End to end: real servers, real databases, through gRPC.

mod access;
mod activity;
mod arrival;
mod cases;
mod consequences;
mod credit;
mod faults;
mod feed_order;
mod maintenance;
mod order;
mod overload;
mod replicas;
mod shape;
