/**
 * Follow a conversation: read what is missing, then listen, and begin again whenever the line drops.
 *
 * Every start reads the messages after the last one seen, so a lost event, a restart of the server or
 * a sleeping computer all heal in the same way.
 */

import { Problem, type Api } from './api'
import { EventReader } from './sse'
import type { Attachment, Conversation, Delivery, Draft, Mark, Message, Rating } from './types'

const FIRST_BYTE_MS = 5_000
const SILENCE_MS = 40_000
const POLL_SECONDS = 20
const POLL_FOR_MS = 300_000
const STEADY_MS = 5_000
const LONGEST_PAUSE_MS = 30_000

export type Change =
  | { kind: 'read'; messages: Message[]; conversation: Conversation; deliveries?: Mark[]; files?: Attachment[]; feedback?: Rating[] }
  | { kind: 'message'; message: Message }
  | { kind: 'conversation'; conversation: Conversation }
  | { kind: 'delivery'; id: string; delivery: Delivery }
  | { kind: 'file'; file: Attachment }
  | { kind: 'feedback'; rating: Rating }
  | { kind: 'draft'; draft: Draft }
  | { kind: 'typing'; role: 'assistant' | 'agent'; on: boolean }

export interface Follower {
  after(): number
  changed(change: Change): void
  connected(on: boolean): void
  /** The server does not know this conversation (any more). */
  gone(): void
}

/** Read everything after the last message seen. */
export async function readOn(api: Api, id: string, follower: Follower, signal: AbortSignal, wait = 0): Promise<void> {
  const path = `/conversations/${id}/messages?after=${follower.after()}` + (wait ? `&wait=${wait}` : '')
  const patience = (wait + 15) * 1000
  const answer = await api.ask<Omit<Change & { kind: 'read' }, 'kind'>>(path, { signal, patience })
  if (!signal.aborted) follower.changed({ kind: 'read', ...answer })
}

/** Follow until the signal says stop. */
export async function follow(api: Api, id: string, follower: Follower, signal: AbortSignal): Promise<void> {
  let failures = 0
  let pollUntil = 0
  while (!signal.aborted) {
    const began = Date.now()
    const polling = began < pollUntil
    const place = follower.after()
    let worked = false
    try {
      await readOn(api, id, follower, signal, polling ? POLL_SECONDS : 0)
      follower.connected(true)
      if (!polling && (await listen(api, id, follower, signal)) === 'mute') pollUntil = Date.now() + POLL_FOR_MS
      // A poll has done its work if it waited, or brought something, however soon: in a lively chat all of them do.
      worked = polling && (Date.now() - began > 1_000 || follower.after() > place)
      if (worked || Date.now() - began > STEADY_MS) failures = 0
    } catch (problem) {
      if (signal.aborted) return
      if (!(problem instanceof Problem)) throw problem
      if (problem.status === 404 || problem.status === 403) return follower.gone()
      if (problem.status === 405 || problem.status === 406) pollUntil = Date.now() + POLL_FOR_MS
      follower.connected(false)
    }
    // After a poll that worked, the next at once. Otherwise breathe, so that a restarted server is not stormed.
    failures += 1
    if (!worked && !signal.aborted) await pause(failures, signal)
  }
}

/** Listen until the line ends: `mute` if nothing at all came through, as behind a proxy that holds streams back. */
async function listen(api: Api, id: string, follower: Follower, signal: AbortSignal): Promise<'mute' | 'ended'> {
  const line = new AbortController()
  const hangUp = () => line.abort()
  signal.addEventListener('abort', hangUp, { once: true })
  let any = false
  let timer = setTimeout(hangUp, FIRST_BYTE_MS)
  try {
    const response = await api.open(`/conversations/${id}/events?after=${follower.after()}`, { signal: line.signal, patience: 0 })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    const events = new EventReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return 'ended'
      any = true
      clearTimeout(timer)
      timer = setTimeout(hangUp, SILENCE_MS)
      for (const event of events.feed(value)) {
        const change = changeOf(event.event, event.data)
        if (change && !signal.aborted) follower.changed(change)
      }
    }
  } catch (problem) {
    if (signal.aborted) return 'ended'
    if (!any && line.signal.aborted) return 'mute'
    if (problem instanceof Problem) throw problem
    return 'ended' // The connection broke in the middle of the stream.
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', hangUp)
    line.abort()
  }
}

function changeOf(event: string, data: string): Change | null {
  try {
    const value = JSON.parse(data)
    switch (event) {
      case 'message':
        return { kind: 'message', message: value as Message }
      case 'conversation':
        return { kind: 'conversation', conversation: value as Conversation }
      case 'delivery':
        return { kind: 'delivery', id: value.id, delivery: value.delivery }
      case 'file':
        return { kind: 'file', file: value as Attachment }
      case 'feedback':
        return { kind: 'feedback', rating: value as Rating }
      case 'draft':
        return { kind: 'draft', draft: value as Draft }
      case 'typing':
        return { kind: 'typing', role: value.role, on: value.on }
      default:
        return null
    }
  } catch {
    return null
  }
}

/** Wait longer after each failure, at a random moment, but not past the return of the network. */
function pause(failures: number, signal: AbortSignal): Promise<void> {
  const longest = Math.min(LONGEST_PAUSE_MS, 400 * 2 ** failures)
  return new Promise((resume) => {
    const done = () => {
      clearTimeout(timer)
      window.removeEventListener('online', done)
      signal.removeEventListener('abort', done)
      resume()
    }
    const timer = setTimeout(done, longest * (0.5 + Math.random() / 2))
    window.addEventListener('online', done)
    signal.addEventListener('abort', done)
  })
}
