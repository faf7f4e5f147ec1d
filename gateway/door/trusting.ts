// Whom the file trusts, as the file that is served says it.
// The danger it guards against: a list of blocks that is made anew for each request.
import { createTrust, type Trust } from '../message/addresses.ts'
import type { CoreSettings } from '../model.ts'

export function createTrusting(): (settings: CoreSettings) => Trust {
  let trust = createTrust([])
  let trustOf: CoreSettings | undefined
  return (settings) => {
    if (settings !== trustOf) {
      trust = createTrust(settings.public.trustedProxies)
      trustOf = settings
    }
    return trust
  }
}
