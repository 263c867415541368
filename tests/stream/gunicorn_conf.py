"""What the tests' gunicorn does beside its command line: end the hub with the worker."""

control_socket_disable = True


def worker_exit(server, worker):
    worker.wsgi.extensions["stop"]()
