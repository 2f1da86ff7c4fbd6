fn main() {
    rpc_build::contracts("src/contracts.rs").run()
}
