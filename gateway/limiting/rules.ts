// What a rule of `limit` charges a request with: whose budgets, and how much.
// The danger it guards against: two clients with one budget, or one client with as many as he likes: who leaves out what a rule
// goes by is known by his address.
import { hash } from 'node:crypto'
import { networkOf } from '../message/addresses.ts'
import type { Budget, Charge, Exchange, OnStoreLoss } from '../model.ts'

/** Who has a budget of his own; `key`: who has a key of ours. */
export type Per = 'identity' | 'key' | 'address' | 'route' | { readonly field: string }

/** One limit as the file writes it. */
export interface Window {
  /** Tells it from the others of its rule. */
  readonly text: string
  readonly budget: Budget
  /** What it lets through in so many seconds, by and by. */
  readonly amount: number
  readonly seconds: number
}

export interface Rule {
  readonly per: Per
  readonly windows: readonly Window[]
  /** What is taken when a request comes: its cost, or what is reserved for it. */
  readonly reserve: number
  /** The field or trailer of the answer that says what it has cost; absent: what was taken. */
  readonly costField?: string
  /** What an answer from stock costs. */
  readonly hitCost: number
  readonly isDry: boolean
  readonly onStoreLoss: OnStoreLoss
  /** Of the limit that a key has of its own. */
  windowOf(rate: string): Window
}

export interface RuleCharge extends Charge {
  readonly rule: Rule
  readonly window: Window
}

export function chargesOf(rules: readonly Rule[], exchange: Exchange): RuleCharge[] {
  const charges: RuleCharge[] = []
  for (const rule of rules) {
    const { reserve: cost, isDry, onStoreLoss } = rule
    const subject = subjectOf(rule.per, exchange)
    for (const window of windowsFor(rule, exchange)) {
      const key = `${exchange.route.name} ${nameOf(rule, window)} ${subject}`
      charges.push({ key, budget: window.budget, cost, isDry, onStoreLoss, rule, window })
    }
  }
  return charges
}

/** Tells a limit of a Route from its others. */
export function nameOf({ per, costField }: Pick<Rule, 'per' | 'costField'>, { text }: Pick<Window, 'text'>): string {
  return `${labelOf(per)} ${text}${costField === undefined ? '' : ` ${costField.toLowerCase()}`}`
}

/** As policies and explanations call it. */
export function labelOf(per: Per): string {
  return typeof per === 'string' ? per : per.field.toLowerCase()
}

/** A key's own rate stands in for the rule's, not for its quota. */
function windowsFor(rule: Rule, { identity }: Exchange): readonly Window[] {
  if (rule.per !== 'key' || identity?.rate === undefined) return rule.windows
  return [rule.windowOf(identity.rate), ...rule.windows.filter(({ budget }) => budget.perMs === 0)]
}

/** Nobody else's, of whatever kind; no secret, and nobody's name. */
function subjectOf(per: Per, { identity, client, fields }: Exchange): string {
  if (per === 'route') return 'all'
  const value = typeof per === 'object' ? fields.get(per.field) : undefined
  if (value) return `field ${digestOf(value)}`
  const isKnown = identity !== undefined && (per === 'key' || per === 'identity')
  return isKnown ? `identity ${digestOf(identity.id)}` : `address ${networkOf(client.address)}`
}

function digestOf(text: string): string {
  return hash('sha256', text, 'base64url')
}
