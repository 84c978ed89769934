// Runs a program that Go compiled for GOOS=js:
//
//	node run.js WASM_EXEC_JS ENVIRONMENT PROGRAM ARGUMENT...
//
// WASM_EXEC_JS is wasm_exec.js, the toolchain's half of every such program. The
// toolchain's own runner for Node, wasm_exec_node.js, leaves Node's process in
// sight, by which net/http recognizes Node and does without fetch. So does this
// one, unless the environment is "browser": then there is no process. In neither
// is there a file system.
"use strict";

const { readFileSync } = require("node:fs");
const { webcrypto } = require("node:crypto");
const node = process;
const [wasmExec, environment, program, ...args] = node.argv.slice(2);

globalThis.crypto ??= webcrypto; // Node 18 does not have it as a global
if (environment === "browser") {
	delete globalThis.process;
}
require(wasmExec);

const go = new Go();
go.argv = ["program", ...args];
go.exit = (code) => node.exit(code);
WebAssembly.instantiate(readFileSync(program), go.importObject)
	.then(({ instance }) => go.run(instance))
	.catch((err) => {
		console.error(err);
		node.exit(1);
	});
