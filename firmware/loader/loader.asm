; SPDX-License-Identifier: MIT
; Boots the kernel from a BIOS disk: boot sector and loader in one, `nasm -f bin`. Sector 0 loads the sectors up to PLAN,
; which load what the plan behind them names, check it, and enter the kernel in long mode.
;
; Disk:    sector 0, loader, plan (struct plan below, written with its checksums by bridge/images.py), pieces
; Memory:  0x05000  memory map     0x06000  plan    0x06400  start information    0x07C00  stack (down), boot sector
;          0x07E00  loader         0x10000  buffer  0x20000  page tables          0x26000  table of the checksum
;
; Processor modes: real mode for the BIOS, 32-bit protected mode to reach memory above 1 MiB, long mode for the kernel.
; All sections of manuals are of the Intel SDM, volume 3A, unless another is named.

%define MAP           0x5000
%define PLAN          0x6000
%define START_INFO    0x6400
%define MODULE_LIST   0x6500
%define LOADER        0x7E00
%define BUFFER        0x10000
%define PAGE_TABLES   0x20000
%define CRC_TABLE     0x26000

%define SECTOR        512
%define PLAN_SECTORS  2
%define CHUNK         64                ; sectors a read: 32 KiB, a segment holds it
%define MAP_MAX       32                ; entries that the kernel takes
%define READ_TRIES    3
%define EXIT_PORT     0xF4              ; isa-debug-exit, where there is one
%define EXIT_PANIC    0x11              ; EXIT_STATUS_PANIC of layout.h
%define COM1          0x3F8
%define CRC_POLYNOMIAL 0xEDB88320       ; IEEE 802.3, bits reflected

%define CODE32        0x08
%define DATA32        0x10
%define CODE16        0x18
%define DATA16        0x20
%define CODE64        0x28

struc plan
  .magic:        resb 8
  .crc:          resd 1                 ; of all that follows
  .pieces:       resd 1
  .entry:        resd 1                 ; in long mode, RDI the start information
  .reserved:     resd 1
  .command_line: resb 256
  .piece:
endstruc

struc piece
  .lba:          resq 1
  .address:      resd 1
  .bytes:        resd 1                 ; on the disk, from a sector's start
  .memory:       resd 1                 ; at least so many; the rest is zeroed
  .crc:          resd 1                 ; of the bytes
  .is_module:    resd 1
  .reserved:     resd 1
endstruc

struc packet                            ; of INT 13h, AH=42h (Enhanced Disk Drive 3.0, 3.3)
  .size:         resb 1
  .reserved:     resb 1
  .count:        resw 1
  .offset:       resw 1
  .segment:      resw 1
  .lba:          resq 1
endstruc

        org 0x7C00
        bits 16
        cpu x64

; --- boot sector ------------------------------------------------------------------------------------------------------
        jmp 0:start                     ; some BIOSes enter at 07C0:0000
start:
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, 0x7C00
        mov [drive], dl
        cld
        mov ah, 0x41                    ; are there reads by block number? (EDD 3.0, 3.2)
        mov bx, 0x55AA
        int 0x13
        jc .no_extensions
        cmp bx, 0xAA55
        jne .no_extensions
        mov word [request + packet.count], LOADER_SECTORS
        mov word [request + packet.offset], LOADER
        mov word [request + packet.segment], 0
        mov dword [request + packet.lba], 1
        call read
        mov si, LOADER
        mov cx, LOADER_SECTORS * SECTOR
        or eax, -1
.byte:  xor al, [si]
        inc si
        mov dl, 8
.bit:   shr eax, 1
        jnc .even
        xor eax, CRC_POLYNOMIAL
.even:  dec dl
        jnz .bit
        loop .byte
        not eax
        cmp eax, [loader_crc]
        je loader
        mov si, text_loader
        jmp fail
.no_extensions:
        mov si, text_extensions
        jmp fail

; Read by `request`; a read that fails for good ends it all.
read:
        mov byte [tries], READ_TRIES
.again: mov ah, 0x42
        mov dl, [drive]
        mov si, request
        int 0x13
        jnc .done
        dec byte [tries]
        jz .failed
        xor ah, ah                      ; reset the drive
        mov dl, [drive]
        int 0x13
        jmp .again
.failed:
        mov si, text_read
        jmp fail
.done:  ret

; Print the text at SI on the screen and the serial line, as the kernel prints its own last words.
fail:
        push si
        mov si, text_panic
        call print
        pop si
fail_more:
        call print
        mov si, text_end
        call print
        mov eax, EXIT_PANIC
        out EXIT_PORT, eax
.stop:  cli
        hlt
        jmp .stop

print:
        lodsb
        test al, al
        jz .done
        call print_character
        jmp print
.done:  ret

print_character:
        pusha
        mov ah, 0x0E
        mov bx, 7
        int 0x10
        popa
        pusha
        mov ah, al
        mov cx, -1                      ; without a serial port nothing is ever ready
        mov dx, COM1 + 5
.wait:  in al, dx
        test al, 0x20
        loopz .wait
        mov dx, COM1
        mov al, ah
        out dx, al
        popa
        ret

text_panic:      db "panic: loader: ", 0
text_end:        db 13, 10, 0
text_extensions: db "the BIOS cannot read by block number", 0
text_read:       db "the disk cannot be read", 0
text_loader:     db "the loader is corrupt", 0

drive:  db 0
tries:  db 0
        align 4
request:
        db packet_size, 0
        times packet_size - 2 db 0

        times 506 - ($ - $$) db 0
loader_crc: dd 0                        ; written by bridge/images.py
        dw 0xAA55

; --- loader -----------------------------------------------------------------------------------------------------------
loader:
        call open_a20
        call find_memory
        call check_processor
        mov word [request + packet.count], PLAN_SECTORS
        mov word [request + packet.offset], PLAN
        mov word [request + packet.segment], 0
        mov dword [request + packet.lba], 1 + LOADER_SECTORS
        mov dword [request + packet.lba + 4], 0
        call read
        mov ebx, check_plan
        call protected
        mov si, text_plan
        jc fail
        mov word [current], PLAN + plan.piece
        mov eax, [PLAN + plan.pieces]
        mov [left], eax
.piece: cmp dword [left], 0
        je .loaded
        call load_piece
        add word [current], piece_size
        dec dword [left]
        jmp .piece
.loaded:
        mov ebx, enter_kernel
        jmp protected

; Address line 20: as the BIOS may have left it, by the BIOS, by the keyboard controller, by port 92h.
open_a20:
        call test_a20
        jne .open
        mov ax, 0x2401
        int 0x15
        call test_a20
        jne .open
        call .keyboard_wait
        mov al, 0xD1                    ; 8042: write the output port
        out 0x64, al
        call .keyboard_wait
        mov al, 0xDF
        out 0x60, al
        call .keyboard_wait
        call test_a20
        jne .open
        in al, 0x92
        or al, 2
        and al, 0xFE                    ; bit 0 would reset
        out 0x92, al
        call test_a20
        jne .open
        mov si, text_a20
        jmp fail
.open:  ret
.keyboard_wait:
        mov cx, -1
.busy:  in al, 0x64
        test al, 2
        loopnz .busy
        ret

; Whether 0000:0500 and FFFF:0510 are one byte; ZF if they are.
test_a20:
        mov ax, -1
        mov gs, ax
        mov al, [0x500]
        mov ah, [gs:0x510]
        push ax
        mov byte [0x500], 0x00
        mov byte [gs:0x510], 0xFF
        cmp byte [0x500], 0xFF
        pop ax
        mov [gs:0x510], ah
        mov [0x500], al
        ret

; INT 15h, EAX=E820h (ACPI 6.5, 15.1), as entries of the start information: address, size, type, reserved.
find_memory:
        xor ebx, ebx
        mov di, MAP
.entry: mov dword [di + 20], 0
        mov eax, 0xE820
        mov edx, 0x534D4150             ; "SMAP"
        mov ecx, 20
        int 0x15
        jc .end                         ; how some BIOSes tell the end
        cmp eax, 0x534D4150
        jne .none
        mov eax, [di + 8]
        or eax, [di + 12]
        jz .next                        ; empty
        cmp dword [map_entries], MAP_MAX
        je .many
        inc dword [map_entries]
        add di, 24
.next:  test ebx, ebx
        jnz .entry
.end:   cmp dword [map_entries], 0
        je .none
        ret
.none:  mov si, text_no_map
        jmp fail
.many:  mov si, text_long_map
        jmp fail

; CPUID is there if EFLAGS.ID can be changed (volume 1, 20.1); long mode is bit 29 of EDX of 80000001h.
check_processor:
        pushfd
        pop eax
        mov ecx, eax
        xor eax, 1 << 21
        push eax
        popfd
        pushfd
        pop eax
        xor eax, ecx
        jz .old
        mov eax, 0x80000000
        cpuid
        cmp eax, 0x80000001
        jb .old
        mov eax, 0x80000001
        cpuid
        test edx, 1 << 29
        jz .old
        ret
.old:   mov si, text_long_mode
        jmp fail

; Bring in the piece at [current], a chunk at a time through the buffer, and check it.
load_piece:
        mov di, [current]
        call check_room
        mov eax, [di + piece.address]
        mov [destination], eax
        mov eax, [di + piece.bytes]
        mov [bytes_left], eax
        mov eax, [di + piece.lba]
        mov [request + packet.lba], eax
        mov eax, [di + piece.lba + 4]
        mov [request + packet.lba + 4], eax
.chunk: mov eax, [bytes_left]
        test eax, eax
        jz .complete
        add eax, SECTOR - 1
        shr eax, 9
        cmp eax, CHUNK
        jbe .last
        mov eax, CHUNK
.last:  mov [request + packet.count], ax
        mov word [request + packet.offset], 0
        mov word [request + packet.segment], BUFFER >> 4
        push eax
        call read
        pop eax
        add [request + packet.lba], eax
        adc dword [request + packet.lba + 4], 0
        mov ebx, copy_chunk
        call protected
        jmp .chunk
.complete:
        mov ebx, finish_piece
        call protected
        jc .corrupt
        ret
.corrupt:
        mov si, text_panic
        call print
        mov si, text_piece
        call print
        mov eax, [PLAN + plan.pieces]
        sub eax, [left]
        add al, '0'
        call print_character
        mov si, text_corrupt
        jmp fail_more

; One region of RAM must hold the whole piece at DI; all is below 4 GiB.
check_room:
        mov si, MAP
        mov ecx, [map_entries]
.entry: cmp dword [si + 16], 1          ; RAM
        jne .next
        cmp dword [si + 4], 0
        jne .next
        mov eax, [di + piece.address]
        sub eax, [si]
        jb .next
        add eax, [di + piece.memory]
        jc .next
        cmp dword [si + 12], 0
        jne .fits
        cmp eax, [si + 8]
        jbe .fits
.next:  add si, 24
        dec ecx
        jnz .entry
        mov si, text_memory
        jmp fail
.fits:  ret

; Call the 32-bit function at EBX with flat segments; its carry comes back (9.9: switching to protected mode and back).
protected:
        cli
        movzx esp, sp
        lgdt [gdt_pointer]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp CODE32:.flat
        bits 32
.flat:  mov ax, DATA32
        mov ds, ax
        mov es, ax
        mov ss, ax
        call ebx
        setc byte [carry]
        jmp CODE16:.leave
        bits 16
.leave: mov ax, DATA16
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov eax, cr0
        and al, 0xFE
        mov cr0, eax
        jmp 0:.real
.real:  xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        sti
        cmp byte [carry], 1
        cmc
        ret

        bits 32
; The plan's magic, and its checksum up to its last sector's end; carry if one is wrong. Makes the checksum's table first.
check_plan:
        xor ebx, ebx
.entry: mov eax, ebx
        mov ecx, 8
.bit:   shr eax, 1
        jnc .even
        xor eax, CRC_POLYNOMIAL
.even:  loop .bit
        mov [CRC_TABLE + ebx * 4], eax
        inc bl
        jnz .entry
        cmp dword [PLAN + plan.magic], "TICK"
        jne wrong
        cmp dword [PLAN + plan.magic + 4], "PLAN"
        jne wrong
        mov esi, PLAN + plan.pieces
        mov ecx, PLAN_SECTORS * SECTOR - plan.pieces
        call checksum
        cmp eax, [PLAN + plan.crc]
        jne wrong
        clc
        ret
wrong:  stc
        ret

; CRC-32 of ECX bytes at ESI, in EAX.
checksum:
        or eax, -1
        jecxz .done
.byte:  movzx edx, byte [esi]
        xor dl, al
        shr eax, 8
        xor eax, [CRC_TABLE + edx * 4]
        inc esi
        dec ecx
        jnz .byte
.done:  not eax
        ret

; What the buffer holds of the piece, to its place.
copy_chunk:
        mov ecx, CHUNK * SECTOR
        cmp ecx, [bytes_left]
        jbe .whole
        mov ecx, [bytes_left]
.whole: sub [bytes_left], ecx
        mov esi, BUFFER
        mov edi, [destination]
        rep movsb
        mov [destination], edi
        ret

; Zero the rest of the piece, then check its bytes; carry if they are not what the plan says.
finish_piece:
        movzx ebx, word [current]
        mov edi, [destination]
        mov ecx, [ebx + piece.memory]
        sub ecx, [ebx + piece.bytes]
        xor eax, eax
        rep stosb
        mov esi, [ebx + piece.address]
        mov ecx, [ebx + piece.bytes]
        call checksum
        cmp eax, [ebx + piece.crc]
        jne wrong
        clc
        ret

; Start information as of PVH (Xen, public/arch-x86/hvm/start_info.h), page tables, long mode, the kernel.
enter_kernel:
        mov edi, START_INFO
        xor eax, eax
        mov ecx, (MODULE_LIST - START_INFO) / 4
        rep stosd
        mov dword [START_INFO], 0x336EC578
        mov dword [START_INFO + 4], 1
        mov dword [START_INFO + 16], MODULE_LIST
        mov dword [START_INFO + 24], PLAN + plan.command_line
        mov dword [START_INFO + 40], MAP
        mov eax, [map_entries]
        mov [START_INFO + 48], eax
        mov esi, PLAN + plan.piece
        mov edi, MODULE_LIST
        mov ecx, [PLAN + plan.pieces]
.piece: cmp dword [esi + piece.is_module], 0
        je .next
        mov eax, [esi + piece.address]
        mov [edi], eax
        mov eax, [esi + piece.bytes]
        mov [edi + 8], eax
        xor eax, eax
        mov [edi + 4], eax
        mov [edi + 12], eax
        mov [edi + 16], eax
        mov [edi + 20], eax
        mov [edi + 24], eax
        mov [edi + 28], eax
        add edi, 32
        inc dword [START_INFO + 12]
.next:  add esi, piece_size
        loop .piece

        mov edi, PAGE_TABLES            ; four levels, 4 GiB onto themselves in pages of 2 MiB (4.5)
        xor eax, eax
        mov ecx, 6 * 1024
        rep stosd
        mov dword [PAGE_TABLES], PAGE_TABLES + 0x1003
        mov edi, PAGE_TABLES + 0x1000
        mov eax, PAGE_TABLES + 0x2003
        mov ecx, 4
.gib:   mov [edi], eax
        add eax, 0x1000
        add edi, 8
        loop .gib
        mov edi, PAGE_TABLES + 0x2000
        mov eax, 0x83
        mov ecx, 4 * 512
.large: mov [edi], eax
        add eax, 0x200000
        add edi, 8
        loop .large

        mov eax, cr4                    ; 9.8.5: PAE, CR3, LME, then paging
        or eax, 1 << 5
        mov cr4, eax
        mov eax, PAGE_TABLES
        mov cr3, eax
        mov ecx, 0xC0000080
        rdmsr
        or eax, 1 << 8
        wrmsr
        mov ebx, [PLAN + plan.entry]
        mov eax, cr0
        or eax, 1 << 31 | 1 << 16 | 1
        mov cr0, eax
        jmp CODE64:.long
        bits 64
.long:  mov edi, START_INFO
        jmp rbx
        bits 16

text_plan:      db "the plan of what to load is corrupt", 0
text_a20:       db "address line 20 stays off", 0
text_no_map:    db "the BIOS tells no memory map", 0
text_long_map:  db "the memory map has more than 32 entries", 0
text_long_mode: db "this processor lacks long mode", 0
text_memory:    db "too little memory: no RAM where the kernel or a module belongs", 0
text_piece:     db "piece ", 0
text_corrupt:   db " is corrupt: its checksum is not the plan's", 0

        align 8
gdt:    dq 0
        dq 0x00CF9A000000FFFF           ; CODE32
        dq 0x00CF92000000FFFF           ; DATA32
        dq 0x00009A000000FFFF           ; CODE16
        dq 0x000092000000FFFF           ; DATA16
        dq 0x00AF9A000000FFFF           ; CODE64
gdt_pointer:
        dw gdt_pointer - gdt - 1
        dd gdt

map_entries: dd 0
left:        dd 0
destination: dd 0
bytes_left:  dd 0
current:     dw 0
carry:       db 0

        align SECTOR, db 0
LOADER_SECTORS equ ($ - loader) / SECTOR
