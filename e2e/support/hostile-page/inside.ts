import { Account, Session } from '../../../protocol/accounts.ts';
import { ManagedPerson } from '../../../protocol/administration.ts';
import { LinkRequest, ListedDevice } from '../../../protocol/devices.ts';
import Frame from '../../../renderer/app/Frame.svelte';
import Shortcuts from '../../../renderer/app/Shortcuts.svelte';
import AddPeople from '../../../renderer/modules/calls/AddPeople.svelte';
import CallView from '../../../renderer/modules/calls/CallView.svelte';
import DevicesDialog from '../../../renderer/modules/calls/DevicesDialog.svelte';
import NewChatDialog from '../../../renderer/modules/chat/NewChatDialog.svelte';
import StrangerDialog from '../../../renderer/modules/devices/StrangerDialog.svelte';
import DevicesCard from '../../../renderer/modules/settings/DevicesCard.svelte';
import ManagePersonDialog from '../../../renderer/modules/settings/ManagePersonDialog.svelte';
import PasswordDialog from '../../../renderer/modules/settings/PasswordDialog.svelte';
import SessionsCard from '../../../renderer/modules/settings/SessionsCard.svelte';
import SettingsPage from '../../../renderer/modules/settings/SettingsPage.svelte';
import { fake, ID, NUMBERS, nothing, objects, one, people, type Drawing, type Values } from './made.ts';

const LINES = ['offline', 'connecting', 'resynchronising', 'online', 'ended'].map((kind) => ({ kind }));
const PROBLEMS = ['permission', 'missing', 'busy'];
const persons = objects(ManagedPerson);
const account: Values = { ...objects(Account)[0], role: 'admin' };

const pressing = (drawings: readonly Drawing[], press: string) =>
  drawings.map((drawing) => ({ ...drawing, press, values: `${press}: ${drawing.values}` }));

/** Everything behind the interface, with one person wherever one can stand. */
function app(person: Values, other: Values = {}): Values {
  const conversation = { userId: ID, person, last: null, unread: 3, draft: person['displayName'], problem: null };
  const call = { callId: ID, media: 'voice', from: person, others: people.slice(0, 7) };
  return fake({
    host: fake({ kind: 'browser' }),
    line: { state: LINES[0], shown: LINES[0], wasOnline: true },
    accounts: accounts(persons[0] as Values),
    devices: fake({ devices: [], linkRequests: [], linkedAt: null, listWithheld: true }),
    contacts: fake({ people: [person], ownNameDoubted: true, find: () => Promise.resolve([person]) }),
    chat: fake({
      conversations: [conversation],
      opened: conversation,
      messages: [],
      hasOlder: false,
      loading: false,
      missed: { here: 1, elsewhere: 1 },
      unread: 3,
    }),
    calls: calls({ incoming: call, rejoinable: [call] }),
    ...other,
  });
}

function calls(other: Values): Values {
  const none = { microphones: [], cameras: [], speakers: [], mediaProblem: null, notice: null, incoming: null };
  return fake({
    stage: { kind: 'idle' },
    tiles: [],
    chosen: {},
    goingOn: new Set(),
    rejoinable: [],
    ...none,
    ...other,
  });
}

const accounts = (person: Values) =>
  fake({
    sessions: () => Promise.resolve(objects(Session).slice(0, 1)),
    administration: fake({ people: () => Promise.resolve({ people: [person], more: true }) }),
  });

function frame(behind: Values, page = 'chats') {
  return {
    app: behind,
    account,
    router: fake({ route: { page, userId: page === 'chats' ? ID : null, section: null } }),
    preferences: { theme: 'system', language: null },
    version: '0',
  };
}

function frames(): Drawing[] {
  const requests = objects(LinkRequest).map((request) => ({ ...request, code: '12345 67890' }));
  const devices = (linkRequests: readonly Values[]) => fake({ devices: [], linkRequests, linkedAt: null });
  return [
    ...one(Frame, people, (person) => frame(app(person))),
    ...['calls', 'contacts', 'settings'].flatMap((page) =>
      one(Frame, people.slice(0, 1), (person) => frame(app(person), page)),
    ),
    ...one(Frame, LINES, (shown) =>
      frame(app(people[0] as Values, { line: { state: shown, shown, wasOnline: true } })),
    ),
    ...one(Frame, requests, (request) => frame(app(people[0] as Values, { devices: devices([request]) }))),
    ...pressing(
      one(Frame, requests, (request) =>
        frame(app(people[0] as Values, { devices: devices([{ ...request, expiresAt: 8.64e15 }]) })),
      ),
      'Not mine',
    ),
  ];
}

function settings(who: Values, other: Values = {}) {
  return {
    host: { kind: 'browser' },
    account: who,
    accounts: accounts(persons[0] as Values),
    devices: fake({ devices: [], linkRequests: [], listWithheld: true }),
    line: { state: LINES[0] },
    preferences: { theme: 'system', language: null },
    nameDoubted: true,
    version: '0',
    section: null,
    onreview: nothing,
    ...other,
  };
}

/** One account, whatever its name and state, and each thing that can be done with it. */
function managing(): Drawing[] {
  const drawn = (cases: readonly Values[], made: Values = {}) =>
    one(ManagePersonDialog, cases, (person) => ({
      administration: fake({ resetPassword: () => Promise.resolve(made) }),
      person,
      onchanged: nothing,
      onclose: nothing,
    }));
  const active = persons.filter(({ status }) => status === 'active');
  const link = `https://${'w'.repeat(60)}.example/#/reset/${'W'.repeat(43)}`;
  return [
    ...drawn(persons),
    ...pressing(drawn(persons), 'Remove'),
    ...pressing(drawn(active), 'Suspend'),
    ...NUMBERS.flatMap((expiresAt) => pressing(drawn(active.slice(0, 1), { link, expiresAt }), 'Make a link')),
  ];
}

/** What is to be removed or ended is named in the question. */
function asked(): Drawing[] {
  const devices = objects(ListedDevice);
  const sessions = objects(Session).filter(({ current }) => current !== true);
  const listed = one(DevicesCard, devices, (device) => ({
    devices: fake({ devices: [device], linkRequests: [], listWithheld: false }),
    onreview: nothing,
  }));
  const open = one(SessionsCard, sessions, (session) => ({
    accounts: fake({ sessions: () => Promise.resolve([session]) }),
    devices: fake({ devices: [] }),
    online: true,
  }));
  return [...pressing(listed, 'Remove'), ...pressing(open, 'End session')];
}

function tile(person: Values): Values {
  const streams = { camera: null, screen: null, audio: null, screenAudio: null };
  return { person, self: false, state: 'joined', muted: true, speaking: false, ...streams };
}

function ofCalls(): Drawing[] {
  const choices = people.map(({ displayName }) => [{ deviceId: 'a', label: displayName }]);
  const small = (person: Values) =>
    calls({ minimised: true, stage: { kind: 'joined', since: 0 }, tiles: [tile(person)] });
  return [
    ...one(AddPeople, people, (person) => ({
      calls: calls({}),
      contacts: fake({ find: () => Promise.resolve([person]) }),
      onclose: nothing,
    })),
    ...one(
      DevicesDialog,
      choices.flatMap((choice) => PROBLEMS.map((problem) => ({ choice, problem }))),
      ({ choice, problem }) => ({
        calls: calls({ microphones: choice, cameras: choice, speakers: choice, mediaProblem: problem }),
        onclose: nothing,
      }),
    ),
    ...one(CallView, people, (person) => ({ calls: small(person), contacts: fake({ people: [] }) })),
  ];
}

/** What is shown to those who are inside, apart from the pages of the modules. */
export const INSIDE: Readonly<Record<string, () => Drawing[]>> = {
  'the frame': () => frames().map((drawing) => ({ ...drawing, whole: true })),
  settings: () => [
    ...one(
      SettingsPage,
      objects(Account).map((who) => ({ ...who, role: 'admin' })),
      (who) => settings(who),
    ),
    ...one(SettingsPage, objects(Account), (who) => settings(who)),
  ],
  'managing a person': managing,
  'questions about a device': asked,
  'dialogs of a call': ofCalls,
  'other dialogs': () => [
    ...one(NewChatDialog, people, (person) => ({
      find: () => Promise.resolve([person]),
      self: 'somebody else',
      onchoose: nothing,
      onclose: nothing,
      oninvite: nothing,
    })),
    ...one(StrangerDialog, objects(LinkRequest), ({ name }) => ({
      device: name,
      onend: nothing,
      onchangepassword: nothing,
      onclose: nothing,
    })),
    ...one(PasswordDialog, objects(Account), ({ username }) => ({ accounts: fake({}), username, onclose: nothing })),
    ...one(Shortcuts, [{}], () => ({ paletteKeys: 'Ctrl K', onclose: nothing })),
  ],
};
