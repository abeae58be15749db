/** The shapes the server answers with, as `docs` of the widget API describe them. */

export type Role = 'customer' | 'assistant' | 'agent' | 'system'
export type Delivery = 'pending' | 'delivered' | 'failed' | 'none'
export type Feedback = 'helpful' | 'not_helpful'
export type HandoffState = 'requested' | 'queued' | 'with_agent' | 'asynchronous' | 'ended' | 'failed'
export type Ending = 'by_agent' | 'inactive' | 'by_customer' | 'closed' | 'unknown'
export type Notice =
  | 'handoff_requested' | 'waiting' | 'agent_joined' | 'agent_changed' | 'ticket_created' | 'asynchronous'
  | 'ended' | 'inactive' | 'handoff_failed' | 'not_delivered' | 'file_not_delivered' | 'back_to_assistant'

export interface Person {
  name: string | null
  avatar_url?: string | null
}

export interface Citation {
  n: number
  title: string
  url: string | null
  source_id: string
}

export interface Attachment {
  id: string
  name: string
  media_type: string | null
  size: number | null
  /** An agent's file is fetched after its message is shown. */
  state: 'kept' | 'awaited' | 'lost' | 'flagged'
}

export interface FileLimits {
  largest: number
  most: number
  endings: string[]
}

export interface Message {
  id: string
  seq: number
  author: Person & { role: Role }
  text: string
  attachments?: Attachment[]
  citations?: Citation[]
  notice?: Notice | null
  created_at: string
  delivery: Delivery
  /** What the customer found of an answer of the assistant. */
  feedback?: Feedback | null
}

/** What has become of a message that is there already. */
export interface Mark {
  id: string
  delivery: Delivery
}

/** What was found of an answer that is there already. */
export interface Rating {
  id: string
  feedback: Feedback | null
}

/** How far the assistant's answer has come; the message of the same id takes its place. */
export interface Draft {
  id: string
  text: string
  citations: Citation[]
}

export interface Handoff {
  id: string
  state: HandoffState
  mode: 'live' | 'ticket'
  reason?: string
  ticket_id: string | null
  agent: Person | null
  ended: Ending | null
  needs_email: boolean
}

export interface Conversation {
  status: 'open' | 'closed'
  control: 'assistant' | 'pending' | 'agent' | 'nobody'
  handoff: Handoff | null
}

export interface ListedConversation extends Conversation {
  id: string
}

export interface Customer {
  id: string
  name: string | null
  email: string | null
}

export interface Session {
  token: string
  customer: Customer
  organisation: { name: string }
  assistant: { name: string; enabled: boolean }
  files?: FileLimits
}

/** A message the customer wrote that the server has not answered for. */
export interface Unsent {
  id: string
  conversation: string
  text: string
  files?: Attachment[]
  at: number
  state: 'sending' | 'queued' | 'failed' | 'closed' | 'refused'
}
