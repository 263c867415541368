/* The floor of push: epoll and send of one prebuilt frame to everybody, HZ times a second. floor PORT HZ FRAMEFILE AT
   Each round begins with the stamp of now (17 characters at offset AT of the frame), as a tick begins one of ours. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MOST 20000
static int clients[MOST], count;
static char frame[70000], scratch[65536];

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  double hz = atof(argv[2]);
  FILE *file = fopen(argv[3], "rb");
  if (!file) return 2;
  size_t size = fread(frame, 1, sizeof frame, file);
  long at = atol(argv[4]);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 2048)) return 3;
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  long ns = (long)(1e9 / hz);
  struct itimerspec every = {{ns / 1000000000, ns % 1000000000}, {ns / 1000000000, ns % 1000000000}};
  timerfd_settime(timer, 0, &every, NULL);
  int poll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  event.data.fd = timer;
  epoll_ctl(poll, EPOLL_CTL_ADD, timer, &event);
  for (;;) {
    int ready = epoll_wait(poll, events, 256, -1);
    for (int n = 0; n < ready; n++) {
      int fd = events[n].data.fd;
      if (fd == listener) {
        int taken;
        while ((taken = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
          setsockopt(taken, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
          event.events = EPOLLIN;
          event.data.fd = taken;
          epoll_ctl(poll, EPOLL_CTL_ADD, taken, &event);
          if (count < MOST) clients[count++] = taken;
        }
      } else if (fd == timer) {
        unsigned long long turns;
        if (read(timer, &turns, sizeof turns) < 0) continue;
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        char stamp[40];
        snprintf(stamp, sizeof stamp, "%17.3f", now.tv_sec * 1000.0 + now.tv_nsec / 1e6);
        memcpy(frame + at, stamp, 17);
        for (int i = 0; i < count; i++)
          if (send(clients[i], frame, size, MSG_NOSIGNAL) < 0 && errno != EAGAIN) {
            close(clients[i]);
            clients[i--] = clients[--count];
          }
      } else if (read(fd, scratch, sizeof scratch) == 0) {
        for (int i = 0; i < count; i++)
          if (clients[i] == fd) {
            clients[i] = clients[--count];
            break;
          }
        close(fd);
      }
    }
  }
}
