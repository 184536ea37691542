//! Gleaner's binary: all of it is in the library.

fn main() -> std::process::ExitCode {
    gleaner::cli::main()
}
