// Prints the models of a project: lists DIR.
#include <iostream>
#include <memory>

#include <headrace/headrace.h>

int main(int argc, char **argv)
{
    std::unique_ptr<hr_project, void (*)(hr_project *)> p(hr_new(nullptr), hr_free);
    hr_cursor *c = nullptr;

    if (!p || argc != 2 || hr_open(p.get(), argv[1], 0) < 0 ||
        hr_query(p.get(), "models", nullptr, &c) < 0) {
        std::cerr << (p ? hr_error(p.get()) : "no memory") << "\n";
        return 1;
    }
    while (hr_cursor_next(c) > 0)
        std::cout << hr_cursor_text(c, "model") << "@" << hr_cursor_text(c, "version") << "\n";
    return 0;
}
