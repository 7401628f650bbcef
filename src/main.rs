//! The `pressmark` command. All of it lives in the library; this file only starts it.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    pressmark::cli::main()
}
