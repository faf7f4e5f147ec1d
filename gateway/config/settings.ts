// The core keys of the top of the file as the gateway uses them: durations in milliseconds, paths absolute.
// The danger it guards against: a relative path that means another folder when the gateway is started elsewhere.
import { dirname, resolve } from 'node:path'
import type { CoreSettings } from '../model.ts'
import { declareAdmin } from './admin.ts'
import { declareIssuers } from './auth.ts'
import type { CheckedTop } from './core.ts'
import type { Environment } from './environment.ts'
import { declareSigning } from './internalTokens.ts'
import { declareKeys } from './keys.ts'
import type { Page } from './page.ts'
import { declarePublic } from './publicDoor.ts'
import { declareStore } from './store.ts'

export const defaultStateDir = './var'

/** @param file the path of routes.yaml, to whose folder relative paths belong. @returns undefined after a mistake */
export function declareSettings(page: Page, file: string, env: Environment): CoreSettings | undefined {
  const door = declarePublic(page, file)
  const probes = page.checked.at<CheckedTop['probes']>('/probes')
  const admin = declareAdmin(page)
  const stateDir = page.checked.at<CheckedTop['stateDir']>('/stateDir')
  const store = declareStore(page)
  const paths = page.checked.at<CheckedTop['paths']>('/paths')
  const keys = declareKeys(page, file)
  const issuers = declareIssuers(page, file)
  const signing = declareSigning(page)
  const accessLog = page.checked.at<CheckedTop['accessLog']>('/accessLog')
  const sessionCookie = page.checked.at<CheckedTop['sessionCookie']>('/sessionCookie')
  if (!door || !probes || !admin || !stateDir || !store || !paths || !keys || !issuers || !signing || !accessLog)
    return undefined
  return {
    public: door,
    probes,
    admin,
    stateDir: stateDirOf(file, stateDir, env),
    ...store,
    paths,
    keys,
    issuers,
    signing,
    accessLog: typeof accessLog === 'string' ? accessLog : { file: resolve(dirname(file), accessLog.file) },
    ...(sessionCookie !== undefined && { sessionCookie }),
  }
}

/** BANYAN_STATE_DIR wins, because it must hold even when the file cannot be read. */
export function stateDirOf(file: string, declared: string, env: Environment): string {
  return env.BANYAN_STATE_DIR ? resolve(env.BANYAN_STATE_DIR) : resolve(dirname(file), declared)
}
