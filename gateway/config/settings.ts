// The core keys of the top of the file as the gateway uses them: durations in milliseconds, paths absolute.
// The danger it guards against: a relative path that means another folder when the gateway is started elsewhere.
import { isIP } from 'node:net'
import { dirname, resolve } from 'node:path'
import type { CoreSettings } from '../model.ts'
import { declareAdmin } from './admin.ts'
import type { CheckedTop } from './core.ts'
import type { Environment } from './environment.ts'
import { type Page, refuse, wordsAt } from './page.ts'
import { below, valueAt } from './pointer.ts'
import { durationMs } from './schema.ts'
import { declareStore } from './store.ts'

export const defaultStateDir = './var'

/** @param file the path of routes.yaml, to whose folder relative paths belong. @returns undefined after a mistake */
export function declareSettings(page: Page, file: string, env: Environment): CoreSettings | undefined {
  const areTrusted = checkTrustedProxies(page)
  const door = page.checked.at<CheckedTop['public']>('/public')
  const probes = page.checked.at<CheckedTop['probes']>('/probes')
  const admin = declareAdmin(page)
  const stateDir = page.checked.at<CheckedTop['stateDir']>('/stateDir')
  const store = declareStore(page)
  const paths = page.checked.at<CheckedTop['paths']>('/paths')
  const accessLog = page.checked.at<CheckedTop['accessLog']>('/accessLog')
  const sessionCookie = page.checked.at<CheckedTop['sessionCookie']>('/sessionCookie')
  if (!door || !probes || !admin || !stateDir || !store || !paths || !accessLog || !areTrusted) return undefined
  return {
    public: {
      host: door.host,
      port: door.port,
      trustedProxies: door.trustedProxies,
      keepAliveMs: durationMs(door.keepAlive),
      drainMs: durationMs(door.drain),
    },
    probes,
    admin,
    stateDir: stateDirOf(file, stateDir, env),
    ...store,
    paths,
    accessLog: typeof accessLog === 'string' ? accessLog : { file: resolve(dirname(file), accessLog.file) },
    ...(sessionCookie !== undefined && { sessionCookie }),
  }
}

/** BANYAN_STATE_DIR wins, because it must hold even when the file cannot be read. */
export function stateDirOf(file: string, declared: string, env: Environment): string {
  return env.BANYAN_STATE_DIR ? resolve(env.BANYAN_STATE_DIR) : resolve(dirname(file), declared)
}

function checkTrustedProxies(page: Page): boolean {
  const list = valueAt(page.written.value, '/public/trustedProxies')
  const pointers = Array.isArray(list) ? list.map((_, i) => below('/public/trustedProxies', i)) : []
  const wrong = pointers.filter((pointer) => !isAddressOrBlock(page.checked.at<string>(pointer) ?? '::'))
  for (const pointer of wrong) {
    refuse(
      page,
      pointer,
      `a trusted proxy is an address or a CIDR block such as 10.0.0.0/8, not ${wordsAt(page, pointer)}`,
    )
  }
  return wrong.length === 0
}

function isAddressOrBlock(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const most = { 4: 32, 6: 128 }[isIP(address)]
  return (
    most !== undefined &&
    more.length === 0 &&
    (bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= most))
  )
}
