#!/usr/bin/env node
import * as CliConfig from "@effect/cli/CliConfig"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as MutableRef from "effect/MutableRef"
import { hoistBuiltInOptions } from "./builtInOptions.js"
import { run } from "./command.js"
import { reportFailure, SignalExitCode, signalled, teardown } from "./exit.js"
import { withHelpLaidOut } from "./help.js"
import * as StandardErrorLogger from "./standardErrorLogger.js"

const signalExitCode = MutableRef.make(signalled)

run(hoistBuiltInOptions(process.argv)).pipe(
  reportFailure,
  Effect.provideService(SignalExitCode, signalExitCode),
  withHelpLaidOut(process),
  Effect.provide(
    Layer.mergeAll(
      NodeFileSystem.layer,
      NodePath.layer,
      NodeTerminal.layer,
      StandardErrorLogger.layer,
      CliConfig.layer({ showBuiltIns: false })
    )
  ),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    disablePrettyLogger: true,
    teardown: teardown(signalExitCode)
  })
)
