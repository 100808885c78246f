# Runs the engine while holding the lock that says "an engine works on this state". The kernel releases the lock
# however the process ends, so a held lock is proof of life, which a process id alone never is.
import fcntl
import json
import logging
import os
import signal
import sys
import threading
import time


def write(name, content):
    path = os.path.join(home, name)
    with open(path + ".new", "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


home, record = sys.argv[1], json.loads(sys.argv[2])
os.umask(0o077)

lock = open(os.path.join(home, "engine.lock"), "a")
give_up = time.monotonic() + 2
while True:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        break
    except BlockingIOError:
        # Somebody who asks whether an engine runs holds the lock for a moment, another engine for as long as it lives.
        if time.monotonic() > give_up:
            sys.exit("another engine works on " + home)
        time.sleep(0.02)

write("engine.json", {**record, "pid": os.getpid()})



def end_with_input():
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if sys.argv[3] == "until-input-ends":
    threading.Thread(target=end_with_input, daemon=True).start()

failures = []


class Failures(logging.Handler):
    def emit(self, message):
        failures.append(message.getMessage())


# The engine logs that a part of its state could not be saved and goes on; a shutdown is clean only if all was.
failed = Failures(level=logging.ERROR)
logging.getLogger("persistence").addHandler(failed)

sys.argv = ["ministack"]
from ministack.app import main  # noqa: E402  (after the lock, so that a second engine ends before it reads any state)

# The files of corrections come before this one.
correct_mapping_templates()  # noqa: F821
correct_lambda_integrations()  # noqa: F821
correct_service_integrations()  # noqa: F821
correct_policy_variables()  # noqa: F821
correct_hosted_zones()  # noqa: F821
correct_changes_of_references()  # noqa: F821
correct_imports_of_bucket_policies()  # noqa: F821
correct_names_of_what_was_imported()  # noqa: F821
correct_attributes_of_user_pools()  # noqa: F821
correct_task_heartbeats()  # noqa: F821
correct_state_machine_roles()  # noqa: F821
correct_addresses_of_apis()  # noqa: F821
correct_cors_of_http_apis()  # noqa: F821

try:
    main()
except SystemExit as exit:
    if exit.code not in (None, 0):
        raise
if not failures:
    write("saved.json", {"start_id": record["start_id"]})
