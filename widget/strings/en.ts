/** Every English sentence of the widget. `{name}` is filled in by `fill`. */

export const loader = {
  region: 'Support chat',
  open: 'Open support chat',
  close: 'Close support chat',
  unread: { one: 'Open support chat, {count} unread message', other: 'Open support chat, {count} unread messages' },
  frame: 'Support chat',
  dismiss: 'Dismiss this preview',
  blocked: 'The chat could not be opened here.',
  newWindow: 'Open it in a new window',
} as const

export const panel = {
  // Header
  assistantSubtitle: 'AI assistant',
  teamSubtitle: 'Support team',
  ticketSubtitle: 'Our team is on it',
  connectingSubtitle: 'Connecting…',
  waitingSubtitle: 'Waiting for our team',
  endedSubtitle: 'Chat ended',
  livePerson: 'Person',
  talk: 'Talk to a person',
  talking: 'Asking…',
  close: 'Close chat',
  menu: 'Chat options',
  backToAssistant: 'Back to the assistant',
  endChat: 'End this chat',
  newChat: 'Start a new chat',
  newChatShort: 'New chat',

  // Conversation
  conversation: 'Conversation',
  welcome: 'How can we help?',
  lead: 'Get an answer right\u00a0away, or talk to a person.',
  leadOff: 'Send us a message. A person will answer.',
  greeting:
    'Hi! I’m {assistant}. I answer from {organisation}’s help pages and show you where each answer comes from. You can reach a person at any time: press “Talk to a person” above, or just ask me.',
  greetingOff: 'Hi! Write your message here and our team will reply.',
  anAssistant: 'an AI assistant',
  namedAssistant: '{name}, an AI assistant',
  assistant: 'Assistant',
  ai: 'AI',
  aiLong: 'written by an AI',
  team: 'Support team',
  you: 'You',
  sources: { one: '{count} source', other: '{count} sources' },
  source: 'Source {n}: {title}',
  newTab: 'opens in a new tab',
  feedback: 'Was this answer helpful?',
  helpful: 'Helpful',
  notHelpful: 'Not helpful',
  foundHelpful: 'You found this helpful',
  foundNotHelpful: 'You did not find this helpful',
  sorry: 'Sorry. Write what is missing, or',
  feedbackFailed: 'That could not be kept. Please try again.',
  thinking: 'Looking for an answer…',
  typing: '{name} is typing…',
  today: 'Today',
  yesterday: 'Yesterday',
  latest: 'Latest messages',
  attachment: 'File: {name}',
  saveFile: 'Save {name}',
  savePicture: 'Picture: {name}. Save it',
  fileAwaited: 'On its way…',
  fileLost: 'Could not be fetched',
  fileFlagged: 'Held back: a scan found something harmful',

  // Files to send
  attach: 'Attach files',
  drop: 'Drop files to attach them',
  filesToSend: 'Files to send',
  uploading: 'Uploading {name}',
  fileUploaded: '{name} is attached',
  fileTrouble: '{name}: {why}',
  fileFailed: 'Not uploaded',
  fileTooLarge: 'Larger than {size}',
  fileEmpty: 'This file is empty',
  filesTooMany: { one: '{count} file at most', other: '{count} files at most' },
  filesGoing: 'Send when your files are uploaded',
  filesHeld: 'Try again, or remove the file that was not taken',
  removeFile: 'Remove {name}',
  fileLeft: '(A file, {name}, could not be moved to this chat.)',

  // Delivery
  sending: 'Sending…',
  queued: 'Will be sent when you are back online',
  sent: 'Sent',
  delivered: 'Delivered',
  notSent: 'Not sent.',
  tryAgain: 'Try again',
  remove: 'Remove',
  notDelivered: 'Not delivered to the team yet',
  closedMeanwhile: 'Not sent: this chat has ended.',
  sendInNewChat: 'Send in a new chat',

  // Composer
  composer: 'Write a message',
  ask: 'Ask a question…',
  writeTo: 'Message {name}…',
  writeTeam: 'Message our team…',
  addToRequest: 'Add to your request…',
  send: 'Send message',
  tooLong: '{count} characters too many',
  left: '{count} characters left',
  mistakes: 'AI can make mistakes. Please check the sources.',

  // States
  connecting: 'Connecting you to our team…',
  connectingHint: 'You can keep writing. Nothing gets lost.',
  creating: 'Passing this on to our team…',
  waiting: 'Waiting for someone from our team',
  waitingHint: 'You are in line. Keep writing; they will see all of it.',
  waitingEmail: 'You are in line. If we miss you here, we reply to {email}.',
  leaveMessage: 'Leave a message instead',
  ticketNumber: 'Request #{ticket}',
  ticketCreated: 'Your request is with our team',
  ticketReply: 'We reply here and to {email}.',
  ticketReplyHere: 'We reply right here in this chat.',
  change: 'Change',
  emailTitle: 'Where should we reply?',
  emailHint: 'We answer here too. The address is used for this request only.',
  emailLabel: 'Your email address',
  emailPlaceholder: 'name@example.com',
  emailInvalid: 'Enter an address like name@example.com.',
  save: 'Save',
  saving: 'Saving…',
  cancel: 'Cancel',
  emailSaved: 'Saved. We reply to {email}.',
  escalationFailed: 'We could not reach the team',
  escalationFailedHint: 'Nothing you wrote is lost.',
  releaseFailed: 'That did not work. Please try again.',

  // Endings
  endedByAgent: '{name} ended this chat',
  endedByTeam: 'Our team ended this chat',
  endedByAgentHint: 'If something is still open, you can pick it up right here.',
  endedInactive: 'This chat ended because it was quiet for a while',
  endedInactiveHint: 'Nobody closed your question. Carry on whenever you like.',
  endedClosed: 'Your request was closed',
  endedClosedTicket: 'Request #{ticket} was closed',
  endedClosedHint: 'Not solved yet? Tell us and we take another look.',
  endedByCustomer: 'You ended this chat',
  endedByCustomerHint: 'Come back whenever something comes up.',
  endedUnknown: 'This chat has ended',
  endedUnknownHint: 'You can ask something new at any time.',
  askAssistant: 'Ask the assistant',
  talkAgain: 'Talk to a person again',

  // Notices
  notice_handoff_requested: 'You asked for a person',
  notice_waiting: 'Waiting for our team',
  notice_agent_joined: '{name} joined the chat',
  notice_agent_changed: '{name} took over the chat',
  notice_ticket_created: 'Request created',
  notice_asynchronous: 'Our team will reply as soon as possible',
  notice_ended: 'The chat ended',
  notice_inactive: 'The chat ended because it was quiet for a while',
  notice_handoff_failed: 'We could not reach the team',
  notice_not_delivered: 'A message could not be delivered to the team',
  notice_file_not_delivered: 'A file could not be delivered to the team',
  notice_back_to_assistant: 'You are back with the assistant',
  someone: 'Someone from our team',

  // Connection
  offline: 'You are offline. Messages are sent when you are back.',
  reconnecting: 'Reconnecting…',
  backOnline: 'Connected again',
  starting: 'Opening the chat…',
  unavailable: 'The chat cannot be opened right now.',
  memoryOnly: 'This browser forgets the chat when you leave the page',
  identityLater: 'Signed identities are not accepted by this version.',
} as const

export type Plural = { readonly one: string; readonly other: string }

/** Put values into a sentence. */
export function fill(sentence: string, values: Record<string, string | number> = {}): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole))
}

/** Choose the form for a count, and put the count in. */
export function counted(forms: Plural, count: number): string {
  return fill(new Intl.PluralRules('en').select(count) === 'one' ? forms.one : forms.other, { count })
}
