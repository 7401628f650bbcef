//! Library benchmarks, one for each stage. `cargo bench --bench stages`.

fn main() {
    divan::main();
}
