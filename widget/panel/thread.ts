/** What the messages and the server's word on the conversation mean for the screen. Pure. */

import { fill, panel as words } from '../strings/en'
import type { Attachment, Conversation, Delivery, Draft, Ending, Mark, Message, Rating, Role } from './types'

export type Stage = 'assistant' | 'connecting' | 'waiting' | 'live' | 'ticket' | 'failed' | 'ended'

const RANK: Record<Delivery, number> = { none: 0, pending: 1, failed: 2, delivered: 3 }

/** Put messages in their places; one already there is replaced, and its delivery never goes backwards. */
export function merge(thread: readonly Message[], incoming: readonly Message[]): Message[] {
  if (!incoming.length) return thread as Message[]
  const byId = new Map(thread.map((message) => [message.id, message]))
  for (const message of incoming) {
    const known = byId.get(message.id)
    byId.set(message.id, { ...message, delivery: known ? farther(known.delivery, message.delivery) : message.delivery })
  }
  return [...byId.values()].sort((a, b) => a.seq - b.seq)
}

function farther(one: Delivery, other: Delivery): Delivery {
  return RANK[one] > RANK[other] ? one : other
}

/** Put what has become of messages into them; a list may be older than what a stream has said. */
export function withDeliveries(thread: readonly Message[], marks: readonly Mark[]): Message[] {
  const byId = new Map(marks.map(({ id, delivery }) => [id, delivery]))
  return thread.map((message) => {
    const delivery = farther(message.delivery, byId.get(message.id) ?? 'none')
    return delivery === message.delivery ? message : { ...message, delivery }
  })
}

/** Put files as they stand now into the messages that carry them. */
export function withFiles(thread: readonly Message[], files: readonly Attachment[]): Message[] {
  const byId = new Map(files.map((file) => [file.id, file]))
  const stale = (file: Attachment) => byId.has(file.id) && byId.get(file.id)!.state !== file.state
  return thread.map((message) => message.attachments?.some(stale)
    ? { ...message, attachments: message.attachments.map((file) => byId.get(file.id) ?? file) }
    : message)
}

/** Put what was found of answers into their messages. */
export function withFeedback(thread: readonly Message[], ratings: readonly Rating[]): Message[] {
  const byId = new Map(ratings.map(({ id, feedback }) => [id, feedback]))
  return thread.map((message) => byId.has(message.id) && (message.feedback ?? null) !== byId.get(message.id)
    ? { ...message, feedback: byId.get(message.id)! }
    : message)
}

/** The answer that is asked about: the latest, as long as the assistant has the say and nobody else spoke since. */
export function rateable(thread: readonly Message[], conversation: Conversation | null): Message | null {
  if (conversation && (conversation.status === 'closed' || conversation.control !== 'assistant')) return null
  const latest = thread.findLast((message) => message.author.role !== 'customer')
  return latest?.author.role === 'assistant' ? latest : null
}

/** What of a draft may be on the screen: nothing once its answer is there or the assistant has no say. */
export function standing(draft: Draft | null, thread: readonly Message[], conversation: Conversation | null): Draft | null {
  if (!draft || (conversation && conversation.control !== 'assistant')) return null
  return thread.some((message) => message.id === draft.id) ? null : draft
}

export function lastSeq(thread: readonly Message[]): number {
  return thread.at(-1)?.seq ?? 0
}

/** The state of the conversation, told by the server alone. */
export function stageOf(conversation: Conversation | null): Stage {
  if (!conversation) return 'assistant'
  if (conversation.status === 'closed') return 'ended'
  switch (conversation.handoff?.state) {
    case 'requested':
      return 'connecting'
    case 'queued':
      return 'waiting'
    case 'with_agent':
      return 'live'
    case 'asynchronous':
      return 'ticket'
    case 'failed':
      return 'failed'
    case 'ended':
      return 'ended'
    default:
      return 'assistant'
  }
}

/** How it ended, if that still needs saying: not after the customer has moved on, or left of their own accord. */
export function endingOf(conversation: Conversation | null, thread: readonly Message[], dismissed: string | null): Ending | null {
  if (!conversation || stageOf(conversation) !== 'ended') return null
  const { handoff, status } = conversation
  if (status === 'closed') return handoff?.ended ?? 'unknown'
  if (!handoff || handoff.id === dismissed || handoff.ended === 'by_customer') return null
  const end = thread.findLastIndex((message) => message.notice === 'ended' || message.notice === 'inactive')
  const movedOn = end >= 0 && thread.slice(end + 1).some((message) => message.author.role === 'customer')
  return movedOn ? null : (handoff.ended ?? 'unknown')
}

/** Messages somebody else wrote after the last one the customer has seen. */
export function unreadIn(thread: readonly Message[], seen: number): number {
  return thread.filter((message) => message.seq > seen && fromUs(message.author.role)).length
}

/** What a message says to someone who listens, or sees one line of it. */
export function spoken(message: Message): string {
  const files = message.attachments?.map(({ name }) => fill(words.attachment, { name })) ?? []
  return [message.text, ...files].filter(Boolean).join('. ')
}

export function fromUs(role: Role): boolean {
  return role === 'assistant' || role === 'agent'
}

/** First letters of the first and last word of a name. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean)
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words
  return letters.map((word) => [...(word ?? '')][0] ?? '').join('').toLocaleUpperCase()
}
