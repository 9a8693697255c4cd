//! Compiles the contracts of `/proto` without `protoc`.

use std::path::PathBuf;
use std::{env, fs};

use protox::prost::Message as _;

const FILES: [&str; 16] = [
    "managedcredit/access/v1/access.proto",
    "managedcredit/access/v1/access_feed_service.proto",
    "managedcredit/access/v1/access_management_service.proto",
    "managedcredit/activity/v1/activity.proto",
    "managedcredit/activity/v1/activity_tracking_service.proto",
    "managedcredit/activity/v1/servicing_feed_service.proto",
    "managedcredit/credit/v1/credit.proto",
    "managedcredit/credit/v1/credit_calculation_service.proto",
    "managedcredit/credit/v1/points.proto",
    "managedcredit/credit/v1/policy.proto",
    "managedcredit/credit/v1/statement.proto",
    "managedcredit/credit/v1/tier.proto",
    "managedcredit/error/v1/error_reason.proto",
    "managedcredit/maintenance/v1/maintenance_service.proto",
    // Clients learn by reflection how to print the details of an error.
    "google/rpc/error_details.proto",
    "google/rpc/status.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true).open_files(FILES)?;

    // The comments travel to `grpcurl describe`; custom options only survive in the encoded form.
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("file_descriptor_set.bin"), compiler.encode_file_descriptor_set())?;

    let descriptors = protox::prost_reflect::prost_types::FileDescriptorSet::decode(
        compiler.encode_file_descriptor_set().as_slice(),
    )?;
    tonic_prost_build::configure().extern_path(".google.rpc", "::tonic_types::pb").compile_fds(descriptors)?;
    Ok(())
}
