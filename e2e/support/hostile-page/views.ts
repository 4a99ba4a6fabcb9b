import { Account, Session } from '../../../protocol/accounts.ts';
import { ManagedPerson } from '../../../protocol/administration.ts';
import { Call, Participant } from '../../../protocol/calls.ts';
import { MessageContent } from '../../../protocol/chat.ts';
import { ErrorCode } from '../../../protocol/errors.ts';
import { LinkRequest, ListedDevice } from '../../../protocol/devices.ts';
import { ScreenRequest } from '../../../protocol/ipc/bridge.ts';
import LinkingPage from '../../../renderer/modules/accounts/LinkingPage.svelte';
import CallsPage from '../../../renderer/modules/calls/CallsPage.svelte';
import CallView from '../../../renderer/modules/calls/CallView.svelte';
import IncomingCall from '../../../renderer/modules/calls/IncomingCall.svelte';
import ChatList from '../../../renderer/modules/chat/ChatList.svelte';
import ConversationView from '../../../renderer/modules/chat/ConversationView.svelte';
import ContactsPage from '../../../renderer/modules/contacts/ContactsPage.svelte';
import LinkDialog from '../../../renderer/modules/devices/LinkDialog.svelte';
import DevicesCard from '../../../renderer/modules/settings/DevicesCard.svelte';
import InvitationsCard from '../../../renderer/modules/settings/InvitationsCard.svelte';
import PeopleCard from '../../../renderer/modules/settings/PeopleCard.svelte';
import SessionsCard from '../../../renderer/modules/settings/SessionsCard.svelte';
import CallBar from '../../../renderer/app/CallBar.svelte';
import Palette from '../../../renderer/app/Palette.svelte';
import PeoplePicker from '../../../renderer/ui/PeoplePicker.svelte';
import ScreenChoice from './ScreenChoice.svelte';
import { DOORS } from './doors.ts';
import { INSIDE } from './inside.ts';
import { fake, ID, linkTo, NUMBERS, nothing, objects, one, people, type Drawing, type Values } from './made.ts';
import { twice } from './twice.ts';

const OUTCOMES = ['ongoing', 'answered', 'missed', 'declined', 'cancelled', 'unanswered', 'of the future'];
const STATES = [null, 'queued', 'sent', 'delivered', 'read', 'failed'];
const FAILURES = [undefined, ...ErrorCode.options, 'of the future'];

/** Stored messages of every kind of content, with every extreme of each field, and with those that a device adds itself. */
function messages(): Values[] {
  const contents = objects(MessageContent);
  const bodies = contents.map(({ sentAt, content }) => ({ sentAt, body: content as Values }));
  const calls = OUTCOMES.flatMap((outcome) => NUMBERS.map((durationMs) => ({ outcome, durationMs })));
  const all: Values[] = [
    ...bodies,
    ...bodies.slice(0, 1).map(() => ({ sentAt: 0, body: { kind: 'unreadable' } })),
    ...bodies
      .filter(({ body }) => body['kind'] === 'call')
      .flatMap(({ sentAt, body }) => calls.map((call) => ({ sentAt, body: { ...body, ...call } }))),
    ...NUMBERS.map((sentAt) => ({ sentAt, body: { kind: 'unreadable' } })),
  ];
  return all.flatMap((value, i) =>
    [false, true].map((mine) => ({
      ...value,
      messageId: `message ${i} ${mine}`,
      conversation: ID,
      sender: ID,
      order: i,
      mine,
      state: mine ? STATES[i % STATES.length] : null,
      failure: FAILURES[i % FAILURES.length],
    })),
  );
}

function conversationOf(person: unknown, last: unknown, other: Values = {}): Values {
  return { userId: ID, person, last, unread: 3, draft: '', problem: null, ...other };
}

function conversation(person: Values, shown: readonly Values[]): Values {
  const opened = conversationOf(person, shown.at(-1) ?? null);
  const chat = fake({ messages: shown, opened, hasOlder: false, loading: false, conversations: [opened], unread: 1 });
  return { chat, conversation: opened, calling: false, goingOn: new Set([ID]), oncall: nothing, onback: nothing };
}

function chatList(conversations: readonly Values[], missed: Values = { here: 0, elsewhere: 0 }): Values {
  return { conversations, selected: null, linkTo, onnewchat: nothing, missed, ondismissmissed: nothing };
}

/** Whose drawing throws: what a bug would do. */
function broken(value: Values, field: string): Values {
  return Object.defineProperty({ ...value }, field, {
    enumerable: true,
    get: () => {
      throw new Error('cannot be drawn');
    },
  });
}

const VIEWS: Readonly<Record<string, () => Drawing[]>> = {
  ...DOORS,
  ...INSIDE,
  messages: () => one(ConversationView, messages(), (message) => conversation(people[0] as Values, [message])),
  'all messages at once': () =>
    one(ConversationView, [{ all: true }], () => conversation(people[0] as Values, messages())),
  'a conversation with anybody': () => one(ConversationView, people, (person) => conversation(person, [])),
  conversations: () =>
    one(
      ChatList,
      [
        ...messages().map((last) => conversationOf(people[0], last)),
        ...people.map((person) => conversationOf(person, null)),
        ...people.map(({ displayName }) => conversationOf(people[0], null, { draft: displayName })),
        ...NUMBERS.map((unread) => conversationOf(people[0], null, { unread })),
      ],
      (shown) => chatList([shown], { here: shown['unread'], elsewhere: shown['unread'] }),
    ),
  calls: () => {
    const entries = messages().filter(({ body }) => (body as Values)['kind'] === 'call');
    const callsPage = (past: readonly Values[], from: unknown) => ({
      calls: fake({
        rejoinable: [{ callId: ID, media: 'voice', from, others: people.slice(0, 7) }],
        stage: { kind: 'idle' },
      }),
      chat: fake({ recentCalls: () => Promise.resolve(past), conversations: [] }),
      contacts: fake({ person: () => from, people: [], ensure: () => Promise.resolve() }),
      linkTo,
      oncall: nothing,
      onrejoin: nothing,
    });
    return [
      ...one(CallsPage, entries, (entry) => callsPage([entry], people[0])),
      ...one(CallsPage, people, (person) => callsPage([], person)),
    ];
  },
  'a call': () => {
    const stages = NUMBERS.map((since) => ({ kind: 'joined', since }));
    const tile = (person: unknown, state: unknown) => ({
      person,
      self: false,
      state,
      camera: null,
      screen: null,
      audio: null,
      screenAudio: null,
      muted: true,
      speaking: true,
    });
    const states = objects(Participant).map(({ state }) => state);
    const callView = (tiles: readonly unknown[], stage: unknown) => ({
      calls: fake({
        stage,
        tiles,
        minimised: false,
        chosen: {},
        mediaProblem: null,
        microphones: [],
        cameras: [],
        speakers: [],
      }),
      contacts: fake({ people: [] }),
    });
    const streams = () => ({ screen: new MediaStream(), audio: new MediaStream(), screenAudio: new MediaStream() });
    return [
      ...one(CallView, [{ all: 'streams' }], () =>
        callView([{ ...tile(people[0], 'joined'), ...streams() }], stages[0]),
      ),
      ...one(CallView, people, (person) => callView([tile(person, 'ringing')], stages[0])),
      ...one(CallView, stages, (stage) => callView([tile(people[0], 'joined')], stage)),
      ...one(
        CallView,
        states.map((state) => ({ state })),
        ({ state }) => callView([tile(people[0], state)], stages[0]),
      ),
    ];
  },
  'an incoming call': () =>
    [...people.map((from) => ({ from })), ...objects(Call).map(({ media }) => ({ media }))].flatMap((value) => {
      const call = { callId: ID, media: 'voice', from: people[0], others: people.slice(0, 7), ...value };
      const calls = fake({ incoming: call, notice: null });
      return [
        ...one(IncomingCall, [value], () => ({ calls })),
        ...one(CallBar, [value], () => ({ call, onrejoin: nothing })),
      ];
    }),
  'choosing a screen': () => one(ScreenChoice, objects(ScreenRequest), (request) => ({ request })),
  contacts: () =>
    one(ContactsPage, people, (person) => ({
      contacts: fake({ find: () => Promise.resolve([person]), people: [] }),
      self: 'somebody else',
      line: { state: { kind: 'online' } },
      calling: false,
      linkTo,
      oncall: nothing,
    })),
  'finding people': () => [
    ...one(PeoplePicker, people, (person) => ({ find: () => Promise.resolve([person]), onchoose: nothing })),
    ...one(Palette, people, ({ displayName, username }) => ({
      commands: [{ id: ID, name: displayName, detail: `@${String(username)}`, words: '', icon: null, run: nothing }],
      onclose: nothing,
    })),
  ],
  sessions: () =>
    one(SessionsCard, objects(Session), (session) => ({
      accounts: fake({ sessions: () => Promise.resolve([session]) }),
      devices: fake({ devices: [] }),
      online: true,
    })),
  devices: () => [
    ...one(DevicesCard, objects(ListedDevice), (device) => ({
      devices: fake({ devices: [device], linkRequests: [{ ...device, code: '12345 67890' }] }),
      onreview: nothing,
    })),
    ...one(LinkDialog, objects(LinkRequest), (request) => ({
      request: { ...request, code: '12345 67890' },
      withdrawn: false,
      onclose: nothing,
      onapprove: nothing,
    })),
    ...one(
      LinkingPage,
      NUMBERS.map((expiresAt) => ({ expiresAt })),
      ({ expiresAt }) => ({
        account: objects(Account)[0],
        code: '12345 67890',
        expiresAt,
        oncancel: nothing,
      }),
    ),
  ],
  administration: () =>
    one(PeopleCard, objects(ManagedPerson), (person) => ({
      administration: fake({ people: () => Promise.resolve({ people: [person], more: false }) }),
      self: 'somebody else',
      online: true,
    })),
  invitations: () => one(InvitationsCard, [{}], () => ({ accounts: fake({}) })),
  notices: () =>
    people.map(({ displayName }) => ({
      ...(one(InvitationsCard, [{ displayName }], () => ({ accounts: fake({}) }))[0] as Drawing),
      toast: String(displayName),
    })),
  'what cannot be drawn': () => {
    const [good = {}] = messages();
    const text = broken({ kind: 'text' }, 'text');
    const shown = [good, { ...good, messageId: ID, order: 9, body: text }, { ...good, messageId: 'last', order: 10 }];
    const mended = shown.map((message) => ({ ...good, messageId: message['messageId'], order: message['order'] }));
    const second = { ...conversationOf(people[0], good), userId: 'b' };
    const listed = [conversationOf(people[0], good), broken(second, 'draft')];
    return [
      {
        component: ChatList,
        props: { ...chatList(listed) },
        values: 'one of two conversations throws',
        fallbacks: 1,
        mended: { ...chatList([conversationOf(people[0], good), second]) },
      },
      {
        component: ConversationView,
        props: { ...conversation(people[0] as Values, shown) },
        values: 'one of three messages throws',
        fallbacks: 1,
        mended: { ...conversation(people[0] as Values, mended) },
      },
    ];
  },
};

export const VIEW_NAMES: readonly string[] = Object.keys(VIEWS);
/** Those that take the whole window. */
export const WHOLE_NAMES: readonly string[] = VIEW_NAMES.filter((name) => VIEWS[name]?.().some(({ whole }) => whole));

export function views(name: string): readonly Drawing[] {
  const drawings = VIEWS[name]?.() ?? [];
  return [...drawings, ...withRepetitions(drawings)];
}

/** The first drawing of each component, once more with the first entry of each of its lists twice. */
function withRepetitions(drawings: readonly Drawing[]): Drawing[] {
  const whole = drawings.filter(({ fallbacks = 0 }) => fallbacks === 0);
  const firsts = new Map(whole.toReversed().map((drawing) => [drawing.component, drawing]));
  return [...firsts.values()].map((drawing) => ({
    ...drawing,
    props: { ...twice(drawing.props) },
    values: `the first entry of each list twice: ${drawing.values}`,
  }));
}
