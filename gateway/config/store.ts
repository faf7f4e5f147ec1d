// Where replicas share what they know, and how many they are.
// The dangers it guards against: the password of a store in a message, and replicas that believe they share and do not.
import type { CoreSettings } from '../model.ts'
import { readStoreUrl, type StoreAddress } from '../state/store/url.ts'
import type { CheckedTop } from './core.ts'
import { type Page, refuse, wordsAt } from './page.ts'

const pointer = '/store/state'

/** @returns undefined after a mistake */
export function declareStore(page: Page): Pick<CoreSettings, 'store' | 'replicas'> | undefined {
  const state = page.checked.at<CheckedTop['store']['state']>(pointer)
  const replicas = page.checked.at<CheckedTop['replicas']>('/replicas')
  const address = state === undefined ? undefined : addressOf(page, state)
  if (state === undefined || !address || replicas === undefined) return undefined
  if (address.kind === 'memory' && replicas > 1) warnOfMemory(page, replicas)
  const isLiteral = page.written.wordsAt(pointer) === state
  if (isLiteral && 'password' in address)
    page.findings.warn(
      page.written.positionOf(pointer),
      `the URL of the store has a password, which is in every copy of this file; take it from the environment: state: "\${REDIS_URL}"`,
    )
  return { store: { state }, replicas }
}

function addressOf(page: Page, url: string): StoreAddress | undefined {
  try {
    return readStoreUrl(url)
  } catch (thrown) {
    const { message } = thrown as Error
    const isLiteral = page.written.wordsAt(pointer) === url
    // Of what came from the environment not even the scheme is told.
    return refuse(page, pointer, isLiteral ? message : `${wordsAt(page, pointer)} is no URL of a store`)
  }
}

function warnOfMemory(page: Page, replicas: number): void {
  page.findings.warn(
    page.written.positionOf('/replicas'),
    `store.state is "memory:", so the ${replicas} replicas share nothing: what one of them rolls back goes on at the others; write redis://HOST:PORT`,
  )
}
