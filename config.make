# Sourced by NGINX's auto/make, after the Makefile was written.
#
# C++20 for our objects only; exact header dependencies, so that touching one
# file rebuilds what needs it.

# BFF_CXXFLAGS, when set, replaces -O2.

for bff_f in $BFF_SRCS; do
    bff_dir=`dirname $bff_f`
    bff_obj=$NGX_OBJS/addon/`basename $bff_dir`/`basename $bff_f .cpp`

    cat << END                                                >> $NGX_MAKEFILE

$bff_obj.o:	CFLAGS += -std=gnu++20 ${BFF_CXXFLAGS--O2} -Wall -Wextra -Werror \\
	-Wno-missing-field-initializers -fvisibility=hidden -MMD -MP
-include $bff_obj.d
END
done
