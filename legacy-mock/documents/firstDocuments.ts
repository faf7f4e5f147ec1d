// The documents of the first day: doc-1 … doc-5 are texts, doc-6 is a scan. The same on every machine.
// The danger it guards against: texts too short to make the monolith's summary as slow as it is.
import { createHash } from 'node:crypto'
import { randomFrom } from '../../services/kit/prng.ts'

interface FirstDocument {
  readonly name: string
  readonly type: string
  readonly content: Buffer
  readonly sha256: string
}

const titles = ['bill-of-lading', 'claims-report', 'customs-declaration', 'carrier-agreement', 'port-diary']
const subjects = ['The consignee', 'Our agent', 'The master', 'The surveyor', 'The carrier', 'The customs officer']
const verbs = ['inspected', 'released', 'refused', 'weighed', 'sealed', 'unloaded', 'countersigned', 'claimed']
const objects = [
  'the containers',
  'the cargo',
  'twelve pallets',
  'the original bill',
  'the manifest',
  'the freight charges',
]
const places = [
  'in Hamburg',
  'at the eastern quay',
  'in Göteborg',
  'before the tribunal',
  'aboard the vessel',
  'in Santos',
]
const reasons = [
  'because the seals were broken',
  'after the demurrage had been paid',
  'although the insurance had lapsed',
  'while the vessel was still at anchor',
  'as the agreement between carrier and shipper requires',
  'without prejudice to later claims for damaged cargo',
]
const sentencesEach = 55
const scanBytes = 262_144

export function firstDocuments(): readonly FirstDocument[] {
  const random = randomFrom(1887)
  const texts = titles.map((title) => documentOf(`${title}.txt`, 'text/plain; charset=utf-8', textOf(random)))
  const scan = Buffer.from(Array.from({ length: scanBytes }, () => Math.floor(random() * 256)))
  return [...texts, documentOf('scan.bin', 'application/octet-stream', scan)]
}

function textOf(random: () => number): Buffer {
  const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)]
  const sentence = () => `${pick(subjects)} ${pick(verbs)} ${pick(objects)} ${pick(places)} ${pick(reasons)}.`
  const sentences = Array.from({ length: sentencesEach }, sentence)
  return Buffer.from(`${sentences.map((one, index) => (index % 6 === 5 ? `${one}\n\n` : `${one} `)).join('')}\n`)
}

function documentOf(name: string, type: string, content: Buffer): FirstDocument {
  return { name, type, content, sha256: createHash('sha256').update(content).digest('hex') }
}
