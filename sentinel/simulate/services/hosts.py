"""What every machine says: log-ins, sudo, cron, the system's own services, heartbeats of an agent."""

import random
from collections.abc import Iterator

from sentinel.simulate.clock import Row, arrivals, ticks
from sentinel.simulate.world import Person, World, outsider

__all__ = ["cron", "heartbeats", "ssh", "sudo", "system"]

MACHINES = ("web-1", "web-2", "app-1", "db-1", "batch-1", "bastion")
COMMANDS = (
    "/usr/bin/systemctl status orders", "/usr/bin/journalctl -u orders -n 200", "/usr/bin/tail -n 100 /var/log/syslog",
    "/usr/bin/systemctl reload nginx", "/usr/bin/apt-get update", "/usr/bin/df -h", "/usr/bin/ss -tlnp",
)  # fmt: skip


def ssh(rng: random.Random, world: World) -> Iterator[Row]:
    """Log-ins of people by key or password, a mistyped password now and then, a stray scanner a few times a day."""
    for at_s in arrivals(rng, world.span, 70, depth=0.9):
        yield from _login(rng, at_s, rng.choice(world.people), rng.choice(MACHINES))
    for at_s in arrivals(rng, world.span, 4, depth=0.0):
        yield from _stray(rng, at_s)


def _login(rng: random.Random, at_s: float, person: Person, host: str) -> Iterator[Row]:
    address = person.addresses[0] if rng.random() < 0.8 else person.addresses[1]
    port, session = rng.randint(32_768, 60_999), rng.randint(100, 9999)
    by_key = rng.random() < 0.8
    if not by_key and rng.random() < 0.2:
        for _ in range(rng.choice((1, 1, 2))):
            yield at_s, None, "sshd", host, f"Failed password for {person.name} from {address} port {port} ssh2"
            at_s += rng.uniform(2.5, 9.0)
    how = f"publickey for {person.name} from {address} port {port} ssh2: ED25519 SHA256:{person.fingerprint}"
    if not by_key:
        how = f"password for {person.name} from {address} port {port} ssh2"
    opened = f"pam_unix(sshd:session): session opened for user {person.name}(uid={1000 + len(person.name)}) by (uid=0)"
    yield at_s, None, "sshd", host, f"Accepted {how}"
    yield at_s + 0.03, None, "sshd", host, opened
    yield at_s + 0.05, None, "systemd-logind", host, f"New session {session} of user {person.name}."
    end_s = at_s + rng.expovariate(1 / 1800.0) + 5
    yield end_s, None, "sshd", host, f"Received disconnect from {address} port {port}:11: disconnected by user"
    yield end_s + 0.01, None, "sshd", host, f"pam_unix(sshd:session): session closed for user {person.name}"
    yield end_s + 0.04, None, "systemd-logind", host, f"Session {session} logged out. Waiting for processes to exit."


def _stray(rng: random.Random, at_s: float) -> Iterator[Row]:
    address, port = outsider(rng), rng.randint(32_768, 60_999)
    if rng.random() < 0.5:
        yield at_s, None, "sshd", "bastion", f"Connection closed by {address} port {port} [preauth]"
        return
    user = rng.choice(("admin", "test", "ubuntu", "oracle", "pi"))
    yield at_s, None, "sshd", "bastion", f"Invalid user {user} from {address} port {port}"
    closed = f"Connection closed by invalid user {user} {address} port {port} [preauth]"
    yield at_s + rng.uniform(0.4, 2.0), None, "sshd", "bastion", closed


def sudo(rng: random.Random, world: World) -> Iterator[Row]:
    """The same few administrators, the same few commands."""
    for at_s in arrivals(rng, world.span, 45, depth=0.9):
        name, host = rng.choice(world.people[:4]).name, rng.choice(MACHINES)
        call = f"{name} : TTY=pts/{rng.randint(0, 4)} ; PWD=/home/{name} ; USER=root ; COMMAND={rng.choice(COMMANDS)}"
        yield at_s, None, "sudo", host, call
        yield at_s + 0.01, None, "sudo", host, f"pam_unix(sudo:session): session opened for user root by {name}(uid=0)"
        closed_s = at_s + rng.uniform(0.2, 8.0)
        yield closed_s, None, "sudo", host, "pam_unix(sudo:session): session closed for user root"


def cron(rng: random.Random, world: World) -> Iterator[Row]:
    """Timers of the machines, with the session lines around them."""
    plan = ((300.0, "root", "/usr/lib/metrics/collect 1 1"), (900.0, "www-data", "/opt/shop/bin/warm-cache"),
            (3600.0, "root", "run-parts /etc/cron.hourly"))  # fmt: skip
    for host in ("web-1", "app-1", "batch-1"):
        for period_s, user, command in plan:
            for at_s in ticks(rng, world.span, period_s, jitter_s=1.5):
                yield at_s, None, "CRON", host, f"pam_unix(cron:session): session opened for user {user} by (uid=0)"
                yield at_s + 0.01, None, "CRON", host, f"({user}) CMD ({command})"
                yield at_s + 0.4, None, "CRON", host, f"pam_unix(cron:session): session closed for user {user}"


def system(rng: random.Random, world: World) -> Iterator[Row]:
    """Leases, clocks, disks, the service manager, and a restart of something every other day."""
    for host in MACHINES:
        lan = f"10.20.0.{20 + MACHINES.index(host)}"
        for at_s in ticks(rng, world.span, 1800.0, jitter_s=240.0):
            yield at_s, None, "dhclient", host, f"DHCPREQUEST for {lan} on eth0 to 10.20.0.1 port 67"
            renewal = f"bound to {lan} -- renewal in {rng.randint(1600, 1900)} seconds."
            yield at_s + 0.02, None, "dhclient", host, renewal
        for at_s in arrivals(rng, world.span, 30, depth=0.0):
            offset = rng.gauss(0.0, 0.0004)
            yield at_s, None, "chronyd", host, f"System clock wrong by {offset:.6f} seconds"
        for at_s in ticks(rng, world.span, 3600.0, jitter_s=20.0):
            for unit in ("logrotate.service - Rotate log files", "man-db.service - Daily man-db regeneration"):
                yield at_s, None, "systemd", host, f"Starting {unit}..."
                yield at_s + rng.uniform(0.1, 2.0), None, "systemd", host, f"Finished {unit}."
    for at_s in arrivals(rng, world.span, 0.5, depth=0.0):
        yield from _restart(rng, at_s, rng.choice(("nginx", "orders", "thumbnails")))


def _restart(rng: random.Random, at_s: float, unit: str) -> Iterator[Row]:
    host = "web-1" if unit == "nginx" else "app-1"
    steps = (f"Stopping {unit}.service - The {unit} service...", f"{unit}.service: Deactivated successfully.",
             f"Stopped {unit}.service - The {unit} service.", f"Starting {unit}.service - The {unit} service...",
             f"Started {unit}.service - The {unit} service.")  # fmt: skip
    for text in steps:
        yield at_s, None, "systemd", host, text
        at_s += rng.uniform(0.05, 2.0)


def heartbeats(rng: random.Random, world: World) -> Iterator[Row]:
    """An agent on each machine reports every two minutes."""
    for host in MACHINES:
        for sequence, at_s in enumerate(ticks(rng, world.span, 120.0)):
            load = max(0.0, rng.gauss(0.6, 0.2))
            text = f"heartbeat seq={sequence} load={load:.2f} mem_used_pct={rng.randint(38, 61)} state=healthy"
            yield at_s, "info", "node-agent", host, text
