// The door for clients as the file has it.
// The danger it guards against: a trusted proxy that is none, or half a certificate.
import { isIP } from 'node:net'
import { dirname, resolve } from 'node:path'
import { type Static, Type } from 'typebox'
import type { CoreSettings } from '../model.ts'
import { type Page, refuse, wordsAt } from './page.ts'
import { below, valueAt } from './pointer.ts'
import { Duration, durationMs, ListenHost, Port, Text } from './schema.ts'

const closed = { additionalProperties: false } as const

const tlsSchema = Type.Object(
  {
    certificates: Type.Array(
      Type.Object(
        {
          cert: Text({
            title: 'the path of a file',
            description: "In PEM, with those that it was signed by behind it; relative to this file's folder.",
          }),
          key: Text({ title: 'the path of a file', description: 'Its key, in PEM, without a passphrase.' }),
        },
        { ...closed, description: 'A certificate and its key. Both files are read again when they change.' },
      ),
      {
        minItems: 1,
        description: 'A client gets the first whose names hold the host that it asks for (SNI), or the first of all.',
      },
    ),
  },
  { ...closed, description: 'Clients are spoken to in TLS alone. Without it: not at all.' },
)

export const publicSchema = Type.Object(
  {
    host: ListenHost({ default: '0.0.0.0', description: 'The address that clients reach.' }),
    port: Port({ default: 8080, description: 'Its port; 0 takes a free one.' }),
    trustedProxies: Type.Array(
      Text({ title: 'an address or CIDR block such as 10.0.0.0/8', description: 'An address or CIDR block.' }),
      {
        default: [],
        description:
          'Addresses and CIDR blocks of the proxies in front: their X-Forwarded-* and Forwarded are believed and appended to, those of anybody else are replaced.',
      },
    ),
    keepAlive: Duration({
      default: '75s',
      description: "How long an idle client connection stays open; longer than the load balancer's idle time.",
    }),
    drain: Duration({ default: '60s', description: 'How long requests and streams may go on after SIGTERM.' }),
    tls: Type.Optional(tlsSchema),
  },
  { ...closed, default: {}, description: 'The door for clients.' },
)

/** @param file the path of routes.yaml, to whose folder relative paths belong. @returns undefined after a mistake */
export function declarePublic(page: Page, file: string): CoreSettings['public'] | undefined {
  const areTrusted = checkTrustedProxies(page)
  const door = page.checked.at<Static<typeof publicSchema>>('/public')
  if (!door || !areTrusted) return undefined
  const pathOf = (path: string) => resolve(dirname(file), path)
  return {
    host: door.host,
    port: door.port,
    trustedProxies: door.trustedProxies,
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
