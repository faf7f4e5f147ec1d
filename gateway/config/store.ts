// Where replicas share what they know, and how many they are.
// The dangers it guards against: the password of a store in a message, and replicas that believe they share and do not.
import type { CoreSettings } from '../model.ts'
import { readStoreUrl, type StoreAddress } from '../state/store/url.ts'
import type { CheckedTop } from './core.ts'
import { type Page, refuse, wordsAt } from './page.ts'
import { isMapping, valueAt } from './pointer.ts'

/** @returns undefined after a mistake */
export function declareStore(page: Page): Pick<CoreSettings, 'store' | 'replicas'> | undefined {
  const replicas = page.checked.at<CheckedTop['replicas']>('/replicas')
  const state = declareOne(page, '/store/state')
  const cache = declareOne(page, '/store/cache')
  if (!state || !cache || replicas === undefined) return undefined
  if (replicas > 1) warnOfMemory(page, replicas, { state, cache })
  warnOfOneRedis(page, state.address, cache.address)
  return { store: { state: state.url, cache: cache.url }, replicas }
}

interface Declared {
  readonly url: string
  readonly address: StoreAddress
}

function declareOne(page: Page, pointer: string): Declared | undefined {
  const url = page.checked.at<string>(pointer)
  const address = url === undefined ? undefined : addressOf(page, pointer, url)
  if (url === undefined || !address) return undefined
  const isLiteral = page.written.wordsAt(pointer) === url
  if (isLiteral && 'password' in address)
    page.findings.warn(
      page.written.positionOf(pointer),
      `the URL of the store has a password, which is in every copy of this file; take it from the environment: ${pointer.split('/').at(-1)}: "\${REDIS_URL}"`,
    )
  return { url, address }
}

function addressOf(page: Page, pointer: string, url: string): StoreAddress | undefined {
  try {
    return readStoreUrl(url)
  } catch (thrown) {
    const { message } = thrown as Error
    const isLiteral = page.written.wordsAt(pointer) === url
    // Of what came from the environment not even the scheme is told.
    return refuse(page, pointer, isLiteral ? message : `${wordsAt(page, pointer)} is no URL of a store`)
  }
}

interface Stores {
  readonly state: Declared
  readonly cache: Declared
}

function warnOfMemory(page: Page, replicas: number, { state, cache }: Stores): void {
  const warn = (pointer: string, message: string) => page.findings.warn(page.written.positionOf(pointer), message)
  if (state.address.kind === 'memory')
    warn(
      '/replicas',
      `store.state is "memory:", so the ${replicas} replicas share nothing: what one of them rolls back goes on at the others; write redis://HOST:PORT`,
    )
  if (cache.address.kind === 'memory' && hasCache(page))
    warn(
      '/replicas',
      `store.cache is "memory:", so each of the ${replicas} replicas has a stock of its own: what a write or a purge makes void at one is still given by the others; write redis://HOST:PORT`,
    )
}

function hasCache({ written }: Page): boolean {
  const routes = valueAt(written.value, '/routes')
  return Array.isArray(routes) && routes.some((route) => isMapping(route) && 'cache' in route)
}

/** A bound that lets the one forget makes the other forget too; without one the cache takes all the memory. */
function warnOfOneRedis(page: Page, state: StoreAddress, cache: StoreAddress): void {
  if (state.kind === 'memory' || cache.kind === 'memory') return
  if (state.host !== cache.host || state.port !== cache.port) return
  page.findings.warn(
    page.written.positionOf('/store/cache'),
    'store.cache is the Redis of store.state, which must never forget, as a cache must when it is full; give each a Redis of its own',
  )
}
