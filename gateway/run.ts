// The gateway as a process: signals in, exit code out.
// The danger it guards against: a process that ends with answers still under way, or that cannot be ended at all.
import { type GatewayOptions, openGateway, type RunningGateway } from './main.ts'

/** Runs until SIGTERM or SIGINT. @returns the exit code: 0 after a drain, 1 when it could not start. */
export async function runGateway(options: GatewayOptions): Promise<number> {
  const opened = await openGateway(options)
  if (!opened.ok) {
    console.error(opened.reason)
    return 1
  }
  await drainOnSignal(opened.gateway)
  return 0
}

function drainOnSignal(gateway: RunningGateway): Promise<void> {
  return new Promise((resolve, reject) => {
    let isEnding = false
    const end = () => {
      // The second signal is from somebody who does not want to wait.
      if (isEnding) process.exit(1)
      isEnding = true
      gateway.drain().then(resolve, reject)
    }
    process.on('SIGTERM', end)
    process.on('SIGINT', end)
    process.on('SIGHUP', () => {
      gateway.reopenLog()
      void gateway.reload()
    })
  })
}
