import Runtime

WorkerMain.run(Array(CommandLine.arguments.dropFirst()))
