// The door for clients as the file has it.
// The danger it guards against: a trusted proxy that is none, or half a certificate.
import { isIP } from 'node:net'
import { dirname, resolve } from 'node:path'
import type { Static } from 'typebox'
import type { CoreSettings } from '../model.ts'
import { type Page, refuse, wordsAt } from './page.ts'
import { below, valueAt } from './pointer.ts'
import type { publicSchema } from './publicSchema.ts'
import { durationMs } from './schema.ts'

/** @param file the path of routes.yaml, to whose folder relative paths belong. @returns undefined after a mistake */
export function declarePublic(page: Page, file: string): CoreSettings['public'] | undefined {
  const areTrusted = checkTrustedProxies(page)
  const door = page.checked.at<Static<typeof publicSchema>>('/public')
  if (!door || !areTrusted) return undefined
  if (door.proxyProtocol !== undefined && door.trustedProxies.length === 0)
    refuse(
      page,
      '/public/proxyProtocol',
      'only trusted proxies may say whose a connection is, and there are none: nobody could come in; name the load balancer in "trustedProxies"',
    )
  const pathOf = (path: string) => resolve(dirname(file), path)
  return {
    host: door.host,
    port: door.port,
    trustedProxies: door.trustedProxies,
    ...(door.proxyProtocol !== undefined && { proxyProtocol: door.proxyProtocol }),
    keepAliveMs: durationMs(door.keepAlive),
    drainMs: durationMs(door.drain),
    certificates: (door.tls?.certificates ?? []).map(({ cert, key }) => ({ cert: pathOf(cert), key: pathOf(key) })),
  }
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
